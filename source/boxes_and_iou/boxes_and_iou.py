# %% [markdown] id="badge"
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](@COLAB_URL@)

# %% [markdown] id="title"
# # Boxes and IoU
#
# Before a network can find anything, we have to say what "found" means. A detector answers with a box, the annotation
# is a box, and one number tells how well the two agree: the **intersection over union** (IoU). Six short functions in
# NumPy, and you have it. Nothing here needs a GPU, and each cell runs at once.
#
# **How this is graded.** Below each function stands a test that you can run as often as you like. The points are given
# later, by calling your functions with other boxes than those you see: part of the cases right, part of the points
# (from half of the ordinary boxes on; degenerate ones, which you will meet below, count for a quarter).
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
import matplotlib.pyplot as plt


def draw(boxes, colours=("tab:blue", "tab:orange")):
    """Draw corner boxes, y pointing down."""
    axes = plt.figure(figsize=(4, 3)).gca()
    for (xmin, ymin, xmax, ymax), colour in zip(boxes, colours):
        axes.add_patch(plt.Rectangle((xmin, ymin), xmax - xmin, ymax - ymin, color=colour, alpha=0.5))
    axes.set_xlim(0, 10)
    axes.set_ylim(8, 0)
    axes.set_aspect("equal")
    plt.show()


draw([(1, 1, 6, 5), (4, 3, 9, 7)])

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

# %% id="test_area" nbgrader={"grade_id": "test_area", "grade": true, "points": 3}
# test_area (@POINTS:test_area@ points)
assert area(np.array([1, 1, 6, 5])) == 20, "5 pixels wide and 4 high make 20. Does your function return the area?"
assert area(np.array([3, 2, 3, 8])) == 0, "A box without width covers nothing."
assert area(np.array([6, 5, 1, 1])) == 0, "Both sides are negative here: their product is not an area."

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
# test_corners_to_center (@POINTS:test_corners_to_center@ points)
centers = corners_to_center(np.array([[1, 1, 6, 5], [0, 0, 2, 2]]))
assert np.shape(centers) == (2, 4), f"Two boxes go in, so shape (2, 4) must come out, not {np.shape(centers)}."
assert np.allclose(centers, [[3.5, 3, 5, 4], [1, 1, 2, 2]]), f"Centre, then width and height. You gave {centers}."

# %% id="center_to_corners" nbgrader={"grade_id": "center_to_corners", "solution": true}
def center_to_corners(boxes):
    """Centre boxes (N, 4) as corner boxes (xmin, ymin, xmax, ymax), shape (N, 4)."""
    ### BEGIN SOLUTION
    middle, half = boxes[:, :2], boxes[:, 2:] / 2
    return np.concatenate([middle - half, middle + half], axis=1)
    ### END SOLUTION

# %% id="test_center_to_corners" nbgrader={"grade_id": "test_center_to_corners", "grade": true, "points": 2}
# test_center_to_corners (@POINTS:test_center_to_corners@ points)
corners = center_to_corners(np.array([[3.5, 3, 5, 4], [1, 1, 2, 2]]))
assert np.shape(corners) == (2, 4), f"Two boxes go in, so shape (2, 4) must come out, not {np.shape(corners)}."
assert np.allclose(corners, [[1, 1, 6, 5], [0, 0, 2, 2]]), f"Half the width lies on each side. You gave {corners}."

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

# %% id="test_intersection" nbgrader={"grade_id": "test_intersection", "grade": true, "points": 3}
# test_intersection (@POINTS:test_intersection@ points)
assert intersection(np.array([1, 1, 6, 5]), np.array([4, 3, 9, 7])) == 4, "They share 2 by 2 pixels."
assert intersection(np.array([0, 0, 2, 2]), np.array([5, 5, 9, 9])) == 0, "These two do not touch."
assert intersection(np.array([0, 0, 9, 9]), np.array([2, 3, 4, 5])) == 4, "The second lies inside the first."

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

# %% id="test_iou" nbgrader={"grade_id": "test_iou", "grade": true, "points": 4}
# test_iou (@POINTS:test_iou@ points)
assert np.isclose(iou(np.array([1, 1, 6, 5]), np.array([4, 3, 9, 7])), 4 / 36), "20 + 20 - 4 is the union."
assert np.isclose(iou(np.array([2, 2, 4, 4]), np.array([2, 2, 4, 4])), 1), "A box and itself."
assert iou(np.array([3, 3, 3, 3]), np.array([3, 3, 3, 3])) == 0, "Two boxes that cover nothing: 0, not NaN."

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

# %% id="test_iou_matrix" nbgrader={"grade_id": "test_iou_matrix", "grade": true, "points": 6}
# test_iou_matrix (@POINTS:test_iou_matrix@ points)
three, two = np.array([[1, 1, 6, 5], [2, 2, 4, 4], [3, 3, 3, 3]]), np.array([[4, 3, 9, 7], [2, 2, 4, 4]])
matrix = iou_matrix(three, two)
assert np.shape(matrix) == (3, 2), f"Three boxes against two: shape (3, 2), not {np.shape(matrix)}."
assert np.allclose(matrix, [[4 / 36, 4 / 20], [0, 1], [0, 0]]), f"Row by row, each with each. You gave {matrix}."

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

from helpers.hand_in import ready_to_submit

ready_to_submit(["@COURSE_CELLS@"])
