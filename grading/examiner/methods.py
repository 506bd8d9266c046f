"""Methods and functions that change what they are called on or given, as far as their names tell."""

import datetime
import pathlib
import re

_ARRAY = (
    "all any argmax argmin argsort astype conj conjugate copy cumprod cumsum diagonal dot flatten item max mean min"
    " nonzero prod ravel repeat reshape round searchsorted squeeze std sum swapaxes take tobytes tolist trace"
    " transpose var view"
)
_FRAME = (
    "abs agg aggregate apply applymap assign between clip combine_first corr count cov describe diff div dropna drop"
    " drop_duplicates duplicated eq equals explode ffill fillna filter first ge get groupby gt head idxmax idxmin info"
    " isin isna isnull items iterrows itertuples join keys kurt last le lt map mask median melt merge mode mul ne"
    " nlargest notna notnull nsmallest nunique pct_change pipe pivot pivot_table quantile query rank reindex rename"
    " replace reset_index rolling sample select_dtypes set_index shift size skew sort_index sort_values stack sub"
    " tail to_csv to_dict to_frame to_list to_numpy to_string transform unique unstack value_counts values where"
)
_MODEL = "predict predict_proba predict_on_batch decision_function evaluate score get_weights get_params summary"
_OTHER = "most_common elements getvalue keys values items get copy difference union total __len__ __str__"
_KINDS = (
    *(str, bytes, int, float, complex, tuple, frozenset, range, re.Pattern, re.Match, pathlib.Path),
    *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta),
)
HARMLESS = frozenset(f"{_ARRAY} {_FRAME} {_MODEL} {_OTHER}".split()) | {
    name for kind in _KINDS for name in dir(kind) if not name.startswith("_")
}
"""Methods that leave their object as it was, whatever usual class it is of."""

_CONTAINERS = (
    "add append appendleft clear difference_update discard extend extendleft insert intersection_update move_to_end"
    " pop popitem popleft push put remove reverse rotate setdefault sort subtract symmetric_difference_update update"
)
_ARRAYS = "fill itemset partition resize setfield setflags"
_LEARNERS = "add_module compile fit fit_transform load_weights partial_fit set_weights train"
_FILES = "close read readline readlines seek truncate write writelines"
_PLOTS = (
    "bar barh boxplot errorbar fill_between hist imshow legend pie plot scatter set set_title set_xlabel set_ylabel"
)
_RANDOM = (
    "beta binomial bytes choice choices exponential gamma gauss geometric integers multivariate_normal normal"
    " normalvariate permutation permuted poisson randint random randrange sample seed shuffle standard_normal"
    " triangular uniform"
)
CHANGERS = frozenset(f"{_CONTAINERS} {_ARRAYS} {_LEARNERS} {_FILES} {_PLOTS} {_RANDOM}".split()) - {"sample"}
"""Methods that change their object."""

FIRST_ARGUMENT = frozenset(
    {
        *("shuffle", "fill_diagonal", "place", "putmask", "copyto", "setattr", "delattr", "next"),
        *("heappush", "heappop", "heapify", "heappushpop", "heapreplace", "insort", "insort_left", "insort_right"),
        *("redirect_stdout", "redirect_stderr"),
    }
)
"""Functions that change the first thing that they are given."""
KEEPERS = frozenset(
    {"partial", "partialmethod", "lru_cache", "cache", "wraps", "vectorize", "staticmethod", "property"}
)
"""Functions that keep a function which they are given and do not call it."""
WRITERS = frozenset(
    {
        *("write_text", "write_bytes", "to_csv", "to_json", "to_excel", "to_parquet", "to_pickle"),
        *("save", "savez", "savez_compressed", "savetxt", "savefig", "imsave", "tofile"),
    }
)
"""Functions and methods that write the file that they are given the name of."""
NO_CHANGE_TO_ARGUMENTS = frozenset(
    {
        *("abs", "all", "any", "bool", "dict", "divmod", "enumerate", "filter", "float", "format", "frozenset", "hash"),
        *("int", "isinstance", "issubclass", "iter", "len", "list", "map", "max", "min", "pow", "print", "range"),
        *("repr", "reversed", "round", "set", "sorted", "str", "sum", "tuple", "type", "zip", "complex", "bytes"),
        *("callable", "chr", "ord", "deepcopy", "copy", "Counter", "id", "getattr", "hasattr", "slice", "vars"),
    }
)
"""Functions that leave their arguments as they were."""
