# %% [markdown] id="badge"
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](@COLAB_URL@)

# %% [markdown] id="title"
# # Boxes and IoU
#
# Before a network can find anything, we have to say what "found" means. A detector answers with a box, the annotation
# is a box, and one number tells how well the two agree: the **intersection over union** (IoU). Six short functions in
# NumPy, and you have it. Nothing here needs a GPU, and each cell runs at once.
#
# **How this is graded.** Below each function stands a test that you can run as often as you like. It calls your function
# with a few boxes, says what came out of one that is wrong, and shows the points. When your work is graded, the
# same test runs with more boxes than you see: part of the cases right, part of the points (from half of the ordinary
# boxes on; degenerate ones, which you will meet below, count for a quarter).
#
# | test | points | function |
# | --- | --- | --- |
# | `test_area` | @POINTS:test_area@ | `area` |
# | `test_corners_to_center` | @POINTS:test_corners_to_center@ | `corners_to_center` |
# | `test_center_to_corners` | @POINTS:test_center_to_corners@ | `center_to_corners` |
# | `test_intersection` | @POINTS:test_intersection@ | `intersection` |
# | `test_iou` | @POINTS:test_iou@ | `iou` |
# | `test_iou_matrix` | @POINTS:test_iou_matrix@ | `iou_matrix` |

# %% id="imports"
import numpy as np

# %% [markdown] id="corners-text"
# ## Corner boxes
#
# A **corner box** is `(xmin, ymin, xmax, ymax)`: the top left and the bottom right corner, in pixels. The y axis points
# **down**, as in all images. Here are two that overlap:

# %% id="draw" tags=["demo"]
from base64 import b64encode
from io import BytesIO

import matplotlib.pyplot as plt
from IPython.display import HTML


def draw(boxes, colours=("tab:blue", "tab:orange")):
    """Draw corner boxes, y pointing down."""
    figure, axes = plt.subplots(figsize=(4, 3))
    for (xmin, ymin, xmax, ymax), colour in zip(boxes, colours):
        axes.add_patch(plt.Rectangle((xmin, ymin), xmax - xmin, ymax - ymin, color=colour, alpha=0.5))
    axes.set_xlim(0, 10)
    axes.set_ylim(8, 0)
    axes.set_aspect("equal")
    corners = " and ".join(str(tuple(box)) for box in boxes)
    alt, image = f"Boxes with the corners {corners}, y pointing down", BytesIO()
    figure.savefig(image, format="png", bbox_inches="tight")
    plt.close(figure)
    display(HTML(f'<img alt="{alt}" src="data:image/png;base64,{b64encode(image.getvalue()).decode()}">'))


draw([(1, 1, 6, 5), (4, 3, 9, 7)])

# %% [markdown] id="cases-text"
# The tests all count in the same way. You need not read how, but you may: `points_for` calls a function with each case
# and gives points in proportion to those that are right.

# %% id="points_for" tags=["demo", "examiners"]
ORDINARY_MINIMUM = 0.5  # share of the ordinary cases that have to be right: 0 for everything is right now and then
DEGENERATE_SHARE = 0.25  # of the points, for degenerate boxes


def points_for(function, ordinary, degenerate=(), *, points):
    """Points for the cases that `function` gets right, rounded down; each case is (arguments, expected value)."""
    shares = []
    for name, cases in (("ordinary", ordinary), ("degenerate", degenerate)):
        found = [(arguments, what_is_wrong(function, arguments, expected)) for arguments, expected in cases]
        wrong = [(arguments, said) for arguments, said in found if said]
        if wrong:
            arguments, said = min(wrong, key=lambda case: sum(map(np.size, case[0])))  # the smallest is read most easily
            asked = f"{function.__name__}({', '.join(map(written, arguments))})"
            print(f"{len(cases) - len(wrong)} of {len(cases)} cases with {name} boxes are right. {asked} {said}")
        shares.append(1 - len(wrong) / len(cases) if cases else 1.0)
    extra = DEGENERATE_SHARE if degenerate else 0
    share = (1 - extra) * shares[0] + extra * shares[1]
    return int(points * share) if shares[0] >= ORDINARY_MINIMUM else 0


def what_is_wrong(function, arguments, expected):
    """Say how the value for one case differs from the expected one; nothing if it does not."""
    try:
        found = np.asarray(function(*(np.array(each) for each in arguments)))
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"
    if found.dtype.kind not in "biuf":
        return f"gave {'nothing: is a return missing?' if found.item() is None else 'something that is no number.'}"
    if found.shape != np.shape(expected):
        return f"gave an array of shape {found.shape}, not {np.shape(expected)}."
    if not np.allclose(found.astype(float), expected, rtol=1e-6, atol=1e-6):
        return f"gave {written(found)}, not {written(expected)}."
    return ""


def written(array):
    """An array as Python would write it."""
    return np.array2string(np.asarray(array), separator=", ")

# %% [markdown] id="area-text"
# ## The area of a box
#
# Width times height. But look out: models predict numbers, and nothing forces them to predict a box. When `xmax` is not
# larger than `xmin`, or `ymax` not larger than `ymin`, the box is **degenerate**: it covers nothing, and its area is 0,
# never negative. (What would two negative sides give?)

# %% id="area" nbgrader={"grade_id": "area", "solution": true}
def area(box):
    """Area of a corner box of shape (4,), in square pixels; 0 if it is degenerate."""
    ### BEGIN SOLUTION
    left, top, right, bottom = box
    return max(right - left, 0) * max(bottom - top, 0)
    ### END SOLUTION

# %% id="test_area" nbgrader={"grade_id": "test_area", "grade": true, "points": 3} tags=["corner-boxes"]
# test_area (@POINTS:test_area@ points)
ordinary = [([[1, 1, 6, 5]], 20), ([[0, 0, 2, 2]], 4)]  # 5 pixels wide and 4 high make 20
degenerate = [([[3, 2, 3, 8]], 0), ([[6, 5, 1, 1]], 0)]  # without width; both sides negative: their product is no area
### BEGIN HIDDEN TESTS
random = np.random.default_rng(20_071)


def some_box():
    """A box of whole pixels, at least 3 wide and high; some corners are negative."""
    corner = random.integers(-50, 200, 2)
    return np.concatenate([corner, corner + random.integers(3, 120, 2)])


def true_area(box):
    return max(0.0, float(box[2] - box[0])) * max(0.0, float(box[3] - box[1]))


boxes = [some_box() for _ in range(12)]
awkward = [[3, 2, 3, 8], [2, 5, 9, 5], [6, 5, 1, 1], [6, 1, 2, 5], [0, 0, 0, 0], [-4.5, 7, -8, 9.25]]
ordinary = [([box], true_area(box)) for box in boxes]
degenerate = [([box], 0.0) for box in awkward]
### END HIDDEN TESTS
points_for(area, ordinary, degenerate, points=3)

# %% [markdown] id="center-text"
# ## Centre boxes
#
# Networks learn more easily to predict where the *middle* of an object is and how large it is: a **centre box** is
# `(cx, cy, w, h)`. Write both conversions. They get **many boxes at once**, an array of shape `(N, 4)`, and give an array
# of the same shape. No loop is needed: `boxes[:, 0]` is the first number of every box.

# %% id="corners_to_center" nbgrader={"grade_id": "corners_to_center", "solution": true}
def corners_to_center(boxes):
    """Corner boxes (N, 4) as centre boxes (cx, cy, w, h), shape (N, 4)."""
    ### BEGIN SOLUTION
    low, high = boxes[:, :2], boxes[:, 2:]
    return np.concatenate([(low + high) / 2, high - low], axis=1)
    ### END SOLUTION

# %% id="test_corners_to_center" nbgrader={"grade_id": "test_corners_to_center", "grade": true, "points": 2}
# test_corners_to_center (@POINTS:test_corners_to_center@ points): centre, then width and height
ordinary = [([[[1, 1, 6, 5], [0, 0, 2, 2]]], [[3.5, 3, 5, 4], [1, 1, 2, 2]])]
### BEGIN HIDDEN TESTS
def true_center(box):
    return [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], box[3] - box[1]]


batches = [np.array(boxes), np.array(boxes[:1], dtype=float), np.array(boxes) - 500]
centers = [np.array([true_center(box) for box in batch]) for batch in batches]
ordinary = [([batch], center) for batch, center in zip(batches, centers)]
### END HIDDEN TESTS
points_for(corners_to_center, ordinary, points=2)

# %% id="center_to_corners" nbgrader={"grade_id": "center_to_corners", "solution": true}
def center_to_corners(boxes):
    """Centre boxes (N, 4) as corner boxes (xmin, ymin, xmax, ymax), shape (N, 4)."""
    ### BEGIN SOLUTION
    middle, half = boxes[:, :2], boxes[:, 2:] / 2
    return np.concatenate([middle - half, middle + half], axis=1)
    ### END SOLUTION

# %% id="test_center_to_corners" nbgrader={"grade_id": "test_center_to_corners", "grade": true, "points": 2}
# test_center_to_corners (@POINTS:test_center_to_corners@ points): half the width lies on each side of the centre
ordinary = [([[[3.5, 3, 5, 4], [1, 1, 2, 2]]], [[1, 1, 6, 5], [0, 0, 2, 2]])]
### BEGIN HIDDEN TESTS
ordinary = [([center], batch) for batch, center in zip(batches, centers)]
### END HIDDEN TESTS
points_for(center_to_corners, ordinary, points=2)

# %% [markdown] id="intersection-text"
# ## What two boxes share
#
# The intersection of two boxes is a box again, or nothing. Its left edge is the larger of the two left edges; go round
# the other three in the same way. What comes out when the two do not touch? You have just written a function that deals
# with that.

# %% id="intersection" nbgrader={"grade_id": "intersection", "solution": true}
def intersection(a, b):
    """Area that two corner boxes of shape (4,) share, in square pixels; 0 if they share nothing."""
    ### BEGIN SOLUTION
    shared = [max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])]
    return area(shared)
    ### END SOLUTION

# %% id="test_intersection" nbgrader={"grade_id": "test_intersection", "grade": true, "points": 3} tags=["corner-boxes"]
# test_intersection (@POINTS:test_intersection@ points): two that overlap, one inside another, two that do not touch
ordinary = [
    ([[1, 1, 6, 5], [4, 3, 9, 7]], 4),
    ([[0, 0, 9, 9], [2, 3, 4, 5]], 4),
    ([[0, 0, 2, 2], [5, 5, 9, 9]], 0),
]
degenerate = [([[1, 1, 6, 5], [3, 2, 3, 8]], 0)]
### BEGIN HIDDEN TESTS
def true_intersection(a, b):
    return true_area([max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])])


near = [[box, box + random.integers(-30, 30, 4)] for box in boxes[:6]]
apart = [[box, box + 1000] for box in boxes[6:9]]
inside = [[box, [box[0] + 1, box[1] + 1, box[2] - 1, box[3] - 1]] for box in boxes[9:11]]
touching = [[[0, 0, 4, 4], [4, 0, 8, 4]], [[0, 0, 4, 4], [4, 4, 8, 8]]]
pairs = [*near, *apart, *inside, *touching, [boxes[0], boxes[0]]]
empty = [[box, awkward[-1 - n]] for n, box in enumerate(awkward)]
empty += [[boxes[0], box] for box in awkward] + [[[6, 5, 1, 1], [6, 5, 1, 1]]]
ordinary = [(pair, true_intersection(*pair)) for pair in pairs]
degenerate = [(pair, true_intersection(*pair)) for pair in empty]
### END HIDDEN TESTS
points_for(intersection, ordinary, degenerate, points=3)

# %% [markdown] id="iou-text"
# ## Intersection over union
#
# $$\mathrm{IoU}(A, B) = \frac{|A \cap B|}{|A \cup B|}$$
#
# The union is both areas together, minus what was counted twice. The IoU is 1 for two equal boxes, 0 for two that do not
# touch. If **both** boxes cover nothing, so does their union, and $\frac00$ is no number: we say the IoU is then 0.

# %% id="iou" nbgrader={"grade_id": "iou", "solution": true}
def iou(a, b):
    """IoU of two corner boxes of shape (4,), between 0 and 1; 0 if their union is empty."""
    ### BEGIN SOLUTION
    overlap = intersection(a, b)
    union = area(a) + area(b) - overlap
    return overlap / union if union > 0 else 0.0
    ### END SOLUTION

# %% id="test_iou" nbgrader={"grade_id": "test_iou", "grade": true, "points": 4} tags=["corner-boxes"]
# test_iou (@POINTS:test_iou@ points): 20 + 20 - 4 is the union of the first two; then a box and itself
ordinary = [([[1, 1, 6, 5], [4, 3, 9, 7]], 4 / 36), ([[2, 2, 4, 4], [2, 2, 4, 4]], 1)]
degenerate = [([[3, 3, 3, 3], [3, 3, 3, 3]], 0)]  # two boxes that cover nothing: 0, not NaN
### BEGIN HIDDEN TESTS
def true_iou(a, b):
    shared = true_intersection(a, b)
    union = true_area(a) + true_area(b) - shared
    return shared / union if union > 0 else 0.0


ordinary = [(pair, true_iou(*pair)) for pair in pairs]
degenerate = [(pair, true_iou(*pair)) for pair in empty]
### END HIDDEN TESTS
points_for(iou, ordinary, degenerate, points=4)

# %% [markdown] id="matrix-text"
# ## All pairs at once
#
# A detector proposes hundreds of boxes, and each has to be compared with each annotation. Loops over all pairs would do,
# slowly. NumPy's **broadcasting** does it in one go: `a[:, None, :]` has shape `(N, 1, 4)`, `b[None, :, :]` has shape
# `(1, M, 4)`, and whatever you compute with the two has `N` rows and `M` columns. `np.maximum`, `np.minimum` and `np.clip`
# work element by element. For a division that must not happen everywhere, look at `np.divide(..., where=...)`, or put
# something harmless in the place of the zeros first.

# %% id="iou_matrix" nbgrader={"grade_id": "iou_matrix", "solution": true}
def iou_matrix(a, b):
    """IoU of each of the corner boxes a (N, 4) with each of b (M, 4), shape (N, M); 0 where a union is empty."""
    ### BEGIN SOLUTION
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    overlap = np.clip(high - low, 0, None).prod(axis=2)
    area_a, area_b = (np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1) for boxes in (a, b))
    union = area_a[:, None] + area_b[None, :] - overlap
    return np.where(union > 0, overlap / np.where(union > 0, union, 1), 0.0)
    ### END SOLUTION

# %% id="test_iou_matrix" nbgrader={"grade_id": "test_iou_matrix", "grade": true, "points": 6} tags=["corner-boxes"]
# test_iou_matrix (@POINTS:test_iou_matrix@ points): row by row, each of the first with each of the second
three, two = [[1, 1, 6, 5], [2, 2, 4, 4], [1, 3, 3, 4]], [[4, 3, 9, 7], [2, 2, 4, 4]]
ordinary = [([three, two], [[4 / 36, 4 / 20], [0, 1], [0, 1 / 5]])]
degenerate = [([[[3, 3, 3, 3]], two], [[0, 0]])]
### BEGIN HIDDEN TESTS
def true_matrix(a, b):
    return np.array([[true_iou(one, other) for other in b] for one in a])


many = [np.array([some_box() for _ in range(n)], dtype=float) for n in (5, 3, 1, 4, 7)]
matrices = [[many[0], many[1]], [many[2], many[3]], [many[4], many[1]], [many[0], many[4]]]
crowded = [np.array(awkward, dtype=float), np.concatenate([np.array(awkward, dtype=float), many[0]])]
ordinary = [(pair, true_matrix(*pair)) for pair in matrices]
degenerate = [(pair, true_matrix(*pair)) for pair in ([crowded[0], crowded[0]], [crowded[1], many[3]])]
### END HIDDEN TESTS
points_for(iou_matrix, ordinary, degenerate, points=6)

# %% [markdown] id="handing-in"
# ## Handing in
#
# Save the notebook, then let the next cell have a last look at it: is everything saved, run and in its place? Then
# download the notebook (**File > Download > Download .ipynb** on Colab) and hand it in.

# %% id="ready" tags=["demo"]
# The course's own tools are installed where they are missing, as on Colab.
import subprocess
import sys
from importlib.util import find_spec

if find_spec("helpers") is None:
    wheel = "@RAW_URL@/@WHEEL@"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", wheel], check=True)

from helpers.last_look import ready_to_submit

ready_to_submit(["@COURSE_CELLS@"])
