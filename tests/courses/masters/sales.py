# %% [markdown]
# # Sales
# A table of sales, as it comes from a shop: names written in all ways, numbers missing.

# %%
import numpy as np
import pandas as pd

# %% locked="data"
def raw_sales():
    """Make the table anew, so that nobody changes it for others."""
    return pd.DataFrame(
        {
            "day": ["2024-03-01", "2024-03-01", "2024-03-02", "2024-03-04", "2024-03-04", "2024-03-09"],
            "product": ["tea", " Coffee", "TEA", "cake ", "coffee", "tea"],
            "amount": [3, 2, np.nan, 5, 1, 4],
            "price": [2.5, 3.0, 2.5, 4.0, 3.0, 2.5],
        }
    )

sales = raw_sales()
sales

# %% [markdown]
# ## Cleaning
# Rows without an amount go, products are lower case without spaces at their ends, days become dates, amounts whole
# numbers. Rows are numbered anew. The table that you get stays as it is.

# %% solution="clean"
def clean(table):
    """Return a clean copy of the table."""
    ### BEGIN SOLUTION
    table = table.dropna(subset=["amount"]).copy()
    table["product"] = table["product"].str.strip().str.lower()
    table["day"] = pd.to_datetime(table["day"])
    table["amount"] = table["amount"].astype(int)
    return table.reset_index(drop=True)
    ### END SOLUTION

# %% mistake="changes_the_table" deserves={"test_clean": 2} because="pandas' warning that inplace is deprecated goes to stderr, which stock takes for a failure"
def clean(table):
    """Return a clean copy of the table."""
    table.dropna(subset=["amount"], inplace=True)
    table["product"] = table["product"].str.strip().str.lower()
    table["day"] = pd.to_datetime(table["day"])
    table["amount"] = table["amount"].astype(int)
    table.reset_index(drop=True, inplace=True)
    return table

# %% mistake="keeps_the_old_numbers"
def clean(table):
    """Return a clean copy of the table."""
    table = table.dropna(subset=["amount"]).copy()
    table["product"] = table["product"].str.strip().str.lower()
    table["day"] = pd.to_datetime(table["day"])
    table["amount"] = table["amount"].astype(int)
    return table

# %% mistake="fills_with_zero"
def clean(table):
    """Return a clean copy of the table."""
    table = table.fillna({"amount": 0})
    table["product"] = table["product"].str.strip().str.lower()
    table["day"] = pd.to_datetime(table["day"])
    table["amount"] = table["amount"].astype(int)
    return table.reset_index(drop=True)

# %%
clean(sales).head()

# %% test="test_clean" points=2
cleaned = clean(raw_sales())
assert isinstance(cleaned, pd.DataFrame), "return a table"
assert list(cleaned["product"]) == ["tea", "coffee", "cake", "coffee", "tea"]
assert cleaned["amount"].sum() == 15
### BEGIN HIDDEN TESTS
assert cleaned.index.tolist() == [0, 1, 2, 3, 4]
assert cleaned["day"].dt.day.tolist() == [1, 1, 4, 4, 9]
assert cleaned.amount.dtype.kind == "i"
### END HIDDEN TESTS

# %% test="test_clean_copies" points=1
table = raw_sales()
clean(table)
pd.testing.assert_frame_equal(table, raw_sales())

# %% [markdown]
# ## Summaries

# %% solution="revenue"
def revenue(table):
    """Return a Series: revenue (amount times price) by product, the largest first."""
    ### BEGIN SOLUTION
    total = table["amount"] * table["price"]
    return total.groupby(table["product"]).sum().sort_values(ascending=False)
    ### END SOLUTION

def best_day(table):
    """Return the day of the largest revenue, as a Timestamp."""
    ### BEGIN SOLUTION
    total = table["amount"] * table["price"]
    return total.groupby(table["day"]).sum().idxmax()
    ### END SOLUTION

# %% mistake="a_table_not_a_series"
def revenue(table):
    """Return a Series: revenue (amount times price) by product, the largest first."""
    table = table.assign(revenue=table["amount"] * table["price"])
    return table.groupby("product")[["revenue"]].sum().sort_values("revenue", ascending=False)

def best_day(table):
    """Return the day of the largest revenue, as a Timestamp."""
    table = table.assign(revenue=table["amount"] * table["price"])
    return table.groupby("day").sum(numeric_only=True).sort_values("revenue").tail(1)

# %% mistake="not_sorted"
def revenue(table):
    """Return a Series: revenue (amount times price) by product, the largest first."""
    return (table["amount"] * table["price"]).groupby(table["product"]).sum()

def best_day(table):
    """Return the day of the largest revenue, as a Timestamp."""
    return str((table["amount"] * table["price"]).groupby(table["day"]).sum().idxmax())

# %% mistake="adds_a_column"
def revenue(table):
    """Return a Series: revenue (amount times price) by product, the largest first."""
    table["revenue"] = table["amount"] * table["price"]
    return table.groupby("product")["revenue"].sum().sort_values(ascending=False)

def best_day(table):
    """Return the day of the largest revenue, as a Timestamp."""
    table["revenue"] = table["amount"] * table["price"]
    return table.groupby("day")["revenue"].sum().idxmax()

# %% locked="clean_data"
# From here on, so that one mistake does not cost you the rest, the table is cleaned by us.
cleaned = pd.DataFrame(
    {
        "day": pd.to_datetime(["2024-03-01", "2024-03-01", "2024-03-04", "2024-03-04", "2024-03-09"]),
        "product": ["tea", "coffee", "cake", "coffee", "tea"],
        "amount": [3, 2, 5, 1, 4],
        "price": [2.5, 3.0, 4.0, 3.0, 2.5],
    }
)

# %% test="test_revenue" points=2
result = revenue(cleaned)
assert isinstance(result, pd.Series), f"a Series was expected, not {type(result)}"
assert result["tea"] == 17.5
### BEGIN HIDDEN TESTS
assert result.index.tolist() == ["cake", "tea", "coffee"]
np.testing.assert_allclose(result.to_numpy(), [20, 17.5, 9])
### END HIDDEN TESTS

# %% test="test_best_day" points=1
assert best_day(cleaned) == pd.Timestamp("2024-03-04")
### BEGIN HIDDEN TESTS
assert best_day(cleaned.iloc[:2]) == pd.Timestamp(2024, 3, 1)
### END HIDDEN TESTS

# %% test="test_summaries_leave_the_table" points=1
revenue(cleaned), best_day(cleaned)
assert list(cleaned.columns) == ["day", "product", "amount", "price"], "the table has new columns"
