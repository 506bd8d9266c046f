# %% [markdown] id="badge"
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](@COLAB_URL@)

# %% id="install"
# Run this cell first. On Colab it installs the course's helpers; elsewhere it uses those you have.
import subprocess
import sys

if "google.colab" in sys.modules:
    wheel = "@RAW_URL@/@WHEEL@"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", wheel], check=True)

# %% [markdown] id="title"
# # Many Objects
#
# A model with one class head and one box head gives one answer for each image. Look out of the window: how many cars
# are there? A **detector** has to say *what* and *where* for any number of objects, and also when to say nothing.
#
# It takes surprisingly little to get from one to all. The representation of an image has 7 × 7 positions. In this
# notebook **each position becomes a small model of its own**: is the centre of an object here, which box does it have,
# which class? That is the idea of YOLO ([Redmon et al. 2016](https://arxiv.org/abs/1506.02640)), and SSD
# ([Liu et al. 2016](https://arxiv.org/abs/1512.02325)) does the same on grids of several sizes.
#
# You will write every part of it, as short functions:
#
# | test | points | what your function does |
# | --- | --- | --- |
# | `test_assign_to_cells` | @POINTS:test_assign_to_cells@ | says which cell of the grid answers for which object |
# | `test_grid_loss` | @POINTS:test_grid_loss@ | measures how wrong a prediction is, in cells with and without an object |
# | `test_decode_cells` | @POINTS:test_decode_cells@ | turns a prediction back into boxes |
# | `test_suppress_overlaps` | @POINTS:test_suppress_overlaps@ | keeps one box where several mean the same object |
# | `test_match_objects` | @POINTS:test_match_objects@ | decides which boxes are right |
# | `test_precision_and_recall` | @POINTS:test_precision_and_recall@ | counts what was found, and what was claimed wrongly |
# | `test_average_precision` | @POINTS:test_average_precision@ | makes one number of that |
# | `test_mean_average_precision` | @POINTS:test_mean_average_precision@ | does so for all classes: the mAP |
# | `test_detector` | @POINTS:test_detector@ | the mAP of the detector that you build and train, as far as it looks where things are |
# | `test_several` | @POINTS:test_several@ | the same on the images with several objects |
#
# That makes @POINTS@ points.
#
# **How this is graded.** Below each function stands a test that you can run as often as you like. When your work is
# graded, it runs with more inputs than you see: part of them right, part of the points, from half of them on. A
# mistake costs its own points and hardly any others: a test brings with it what it needs of earlier functions. Two
# things do lean on yours: `mean_average_precision`, which calls the three functions before it, and the training of the
# detector, which uses your targets and your loss.

# %% id="imports"
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import helpers

SEED = 0  # the training below starts from this seed, so that running it again gives the same result
GRID = 7  # cells in each direction
CELL = 32  # pixels of the 224-pixel frame that a cell spans in each direction

helpers.setup();

# %% [markdown] id="data-text"
# ## The data
#
# The images are those of [Pascal VOC 2007](http://host.robots.ox.ac.uk/pascal/VOC/)
# ([Everingham et al. 2010](https://doi.org/10.1007/s11263-009-0275-4)) again, now with **any number** of objects of our
# five classes. Nobody has computed their representations for you: if they are not there, the cell below does it. On
# Colab choose a GPU first (**Runtime > Change runtime type**): then it takes some minutes, once.

# %% id="data"
from helpers import CLASSES, fetch_voc2007, find_representations, load_all_annotations, load_representations
from helpers import split, tensorize_objects

voc_root = fetch_voc2007()
images = load_all_annotations(voc_root)
reprs_files = find_representations(voc_root, images)
reprs = load_representations(reprs_files, images)
parts = split(len(images))

print(len(images), "images with", sum(len(image["objects"]) for image in images), "objects")
print("Shape of the representations:", reprs.shape)

# %% [markdown] id="look-text"
# **Always look at your data.** How many objects does an image hold? Which ones overlap, which are tiny?

# %% id="show" tags=["demo"]
from helpers import center_to_corners, draw_objects, image_path, show_figure


def true_objects(image):
    """Corner boxes in the 224-pixel frame, each with the name of its class."""
    labels, boxes = tensorize_objects(image)
    return [(box, CLASSES[label]) for label, box in zip(labels, center_to_corners(boxes))]


crowded = [image for image in images[parts.train] if len(image["objects"]) >= 3]
figure, axes = plt.subplots(2, 4, figsize=(12, 6))
for ax, image in zip(axes.flat, crowded):
    draw_objects(ax, image_path(voc_root, image), truth=true_objects(image))
figure.tight_layout()
show_figure(figure, "Eight images with three or more objects, a box with the name of its class around each")

# %% id="counts" tags=["demo"]
counts = np.bincount([len(image["objects"]) for image in images[parts.train]])
figure, ax = plt.subplots(figsize=(7, 3))
ax.bar(range(len(counts)), counts)
ax.set(xlabel="Objects in the image", ylabel="Number of images")
show_figure(figure, f"Bar chart: {counts[1]} images hold one object, {counts[2:].sum()} hold several")

# %% [markdown] id="grid-text"
# # From one object to all: the grid
#
# `tensorize_objects` gives the objects of an image as labels `(n,)` (indices into `CLASSES`) and **centre boxes**
# `(cx, cy, w, h)` in the 224-pixel frame. A network cannot output "n boxes": its output has one shape, whatever the
# image. So we lay a grid of 7 × 7 cells over the frame, 32 pixels each, and make a rule: **the cell that holds the
# centre of an object answers for that object**. Before you go on: in the picture below, which cell answers for which
# object? May two objects fall into one cell?

# %% id="draw-grid" tags=["demo"]
from skimage.io import imread
from skimage.transform import resize

figure, axes = plt.subplots(1, 3, figsize=(12, 4))
for ax, image in zip(axes, crowded):
    ax.imshow(resize(imread(image_path(voc_root, image)), (224, 224)))
    for line in range(CELL, 224, CELL):
        ax.axhline(line, color="white", linewidth=0.7)
        ax.axvline(line, color="white", linewidth=0.7)
    for cx, cy, w, h in tensorize_objects(image)[1]:
        ax.add_patch(plt.Rectangle((cx - w / 2, cy - h / 2), w, h, fill=False, edgecolor="#D55E00", linewidth=2))
        ax.plot(cx, cy, "o", color="#D55E00")
    ax.axis("off")
show_figure(figure, "Three images under a grid of 7 by 7 cells; each box has a dot at its centre, in one of the cells")

# %% [markdown] id="assign-text"
# ## Exercise 1: who answers for what
#
# The target of an image has shape `(7, 7, 10)`: row, column, and for each cell ten numbers,
#
# | index | number |
# | --- | --- |
# | 0 | **objectness**: 1 if the cell answers for an object, else 0 |
# | 1, 2 | where in the cell the centre lies, `x` and `y`, from 0 (left, top) to 1 (right, bottom) |
# | 3, 4 | width and height of the box as fractions of the frame, so 224 pixels are 1 |
# | 5 ... 9 | the class, one-hot |
#
# A cell that answers for nothing is all zeros. Three things are easily overlooked:
#
# - the **row** comes from `cy`, the **column** from `cx`;
# - a centre on the very edge of the frame (224) belongs to the last cell, not to an eighth one;
# - if two centres fall into one cell, the **larger** object (by area) has it. The other one is lost: this detector
#   cannot find both, and that is a real weakness of it.

# %% id="assign_to_cells" nbgrader={"grade_id": "assign_to_cells", "solution": true}
def assign_to_cells(labels, boxes):
    """Target (7, 7, 10) of an image: labels (n,) and centre boxes (n, 4) in the 224-pixel frame, put into cells."""
    target = np.zeros((GRID, GRID, 5 + len(CLASSES)), dtype=np.float32)
    ### BEGIN SOLUTION
    smallest_first = np.argsort(boxes[:, 2] * boxes[:, 3], kind="stable") if len(boxes) else []
    for index in smallest_first:
        cx, cy, w, h = boxes[index]
        column, row = (min(int(center // CELL), GRID - 1) for center in (cx, cy))
        target[row, column] = 0
        target[row, column, :5] = 1, cx / CELL - column, cy / CELL - row, w / 224, h / 224
        target[row, column, 5 + labels[index]] = 1
    ### END SOLUTION
    return target

# %% [markdown] id="cases-text"
# The tests all count in the same way. You need not read how, but you may: `points_for` calls a function with each case,
# compares all that it returns, and gives points in proportion to the cases that are right.

# %% id="points_for" tags=["demo", "examiners"]
ENOUGH = 0.5  # share of the cases that have to be right: the same answer for everything is right now and then


def points_for(function, cases, *, points):
    """Points for the cases that `function` gets right, rounded down; each case is (arguments, expected value)."""
    wrong = [said for arguments, expected in cases if (said := what_is_wrong(function, arguments, expected))]
    if wrong:
        print(f"{len(cases) - len(wrong)} of {len(cases)} cases are right. {wrong[0]}")
    share = 1 - len(wrong) / len(cases)
    return int(points * share + 1e-9) if share >= ENOUGH else 0


def what_is_wrong(function, arguments, expected):
    """Say how the value for one case differs from the expected one; nothing if it does not."""
    try:
        found = function(*arguments)
    except Exception as error:
        return f"{function.__name__} raised {type(error).__name__}: {error}"
    several = isinstance(expected, tuple)
    if several and not (isinstance(found, (tuple, list)) and len(found) == len(expected)):
        return f"{function.__name__} must return {len(expected)} things: return a, b, ..."
    for one, wanted in zip(found, expected) if several else [(found, expected)]:
        if said := difference(one, np.asarray(wanted)):
            return f"{function.__name__} {said}"
    return ""


def difference(found, wanted):
    """Say how one returned array differs from the expected one."""
    try:
        found = np.asarray(found)
    except Exception:
        return "gave rows of different lengths."
    if found.dtype.kind not in "biuf":
        return "gave nothing: is a return missing?" if found.dtype == object else "gave something that is no number."
    if found.shape != wanted.shape:
        return f"gave an array of shape {found.shape}, not {wanted.shape}."
    wrong = ~np.isclose(found.astype(float), wanted, rtol=1e-5, atol=1e-5)
    if wrong.any():
        first = np.unravel_index(np.argmax(wrong), wanted.shape)
        where = f" at {[int(index) for index in first]}" if first else ""
        return f"gave {float(found[first]):.4g}{where}, not {float(wanted[first]):.4g}."
    return ""

# %% id="test_assign_to_cells" nbgrader={"grade_id": "test_assign_to_cells", "grade": true, "points": 3}
# test_assign_to_cells (@POINTS:test_assign_to_cells@ points): a car in the third row; a cat and a smaller dog in one cell
expected = np.zeros((2, 7, 7, 10))
expected[0, 2, 5, [0, 1, 2, 3, 4, 8]] = 1, 0.25, 0.5, 0.5, 0.25, 1
expected[1, 6, 6, [0, 1, 2, 3, 4, 6]] = 1, 0.5, 1, 0.25, 0.5, 1
cases = [
    ((np.array([3]), np.array([[168.0, 80, 112, 56]])), expected[0]),
    ((np.array([1, 0]), np.array([[208.0, 224, 56, 112], [200, 210, 30, 30]])), expected[1]),
]
### BEGIN HIDDEN TESTS
random = np.random.default_rng(20_073)


def some_objects(n):
    """Labels and centre boxes of different areas that lie in the frame."""
    size = random.uniform(12, 110, (n, 2))
    middle = size / 2 + random.random((n, 2)) * (224 - size)
    return random.integers(0, 5, n), np.concatenate([middle, size], axis=1)


def true_target(labels, boxes):
    cells, owners = np.zeros((49, 10)), {}
    for index, (cx, cy, w, h) in enumerate(boxes):
        place = int(min(cy // 32, 6)) * 7 + int(min(cx // 32, 6))
        if place not in owners or w * h > np.prod(boxes[owners[place], 2:]):
            owners[place] = index
    for place, index in owners.items():
        cx, cy, w, h = boxes[index]
        cells[place] = [1, cx / 32 - place % 7, cy / 32 - place // 7, w / 224, h / 224, *np.eye(5)[labels[index]]]
    return cells.reshape(7, 7, 10)


def in_one_cell(n):
    """Objects whose centres share a cell, the largest anywhere among them."""
    labels, boxes = some_objects(n)
    boxes[:, :2] = random.integers(0, 7, 2) * 32 + random.uniform(1, 31, (n, 2))
    return labels, boxes


edge = (np.array([4, 2]), np.array([[224.0, 100, 20, 40], [64, 224, 30, 10]]))
scenes = [*(some_objects(n) for n in (1, 2, 3, 4, 6, 9)), *(in_one_cell(n) for n in (2, 3, 4)), edge, edge]
scenes[-1] = (edge[0][::-1].copy(), edge[1] - [0, 0, 5, 3])
cases = [(scene, true_target(*scene)) for scene in scenes]
### END HIDDEN TESTS
points_for(assign_to_cells, cases, points=3)

# %% id="lost" tags=["demo"]
targets_seen = [assign_to_cells(*tensorize_objects(image)) for image in images[parts.train]]
kept = int(sum(target[..., 0].sum() for target in targets_seen))
there = sum(len(image["objects"]) for image in images[parts.train])
print(f"{kept} of {there} objects have a cell of their own; {there - kept} share one with a larger object.")
print(f"Cells with an object: {np.mean([target[..., 0].mean() for target in targets_seen]):.1%}")

# %% [markdown] id="loss-text"
# ## Exercise 2: a loss with and without objects
#
# Look at the last line: nearly all cells are empty. A loss that treats all cells alike teaches the network one thing
# above all, to say "nothing here". And for a cell without an object there *is* no right box and no right class, so
# nothing must be asked of them. The loss of one image is a sum over its 49 cells. With $o$ the true objectness (0 or
# 1), $\hat o$ the predicted one, $b = (x, y, w, h)$ the box and $p$ the class:
#
# $$\sum_{\text{cells}} \; 5\,o \left[(x - \hat x)^2 + (y - \hat y)^2 + (\sqrt{w} - \sqrt{\hat w})^2 + (\sqrt{h} - \sqrt{\hat h})^2\right]
# + o\,(1 - \hat o)^2 + 0.5\,(1 - o)\,\hat o^2 + o \sum_{\text{classes}} (p - \hat p)^2$$
#
# The weights 5 and 0.5 are those of YOLO. Why the square roots? Ten pixels are much for a small box and little for a
# large one; the root makes small ones count more.
#
# The function works on a batch: `y_true` and `y_pred` have shape `(N, 7, 7, 10)`, the result has shape `(N,)`, one
# number for each image. Keras calls it while it trains, with tensors, so write it with `keras.ops`, which has the
# functions of NumPy: `ops.square`, `ops.sqrt`, `ops.sum(..., axis=...)`. Slices work as usual: `y_true[..., 0]` is
# the objectness, of shape `(N, 7, 7)`.

# %% id="grid_loss" nbgrader={"grade_id": "grid_loss", "solution": true}
from keras import ops


def grid_loss(y_true, y_pred):
    """Loss (N,) of predictions (N, 7, 7, 10) against targets (N, 7, 7, 10), summed over the cells of each image."""
    ### BEGIN SOLUTION
    there, said = y_true[..., 0], y_pred[..., 0]
    place = ops.sum(ops.square(y_true[..., 1:3] - y_pred[..., 1:3]), axis=-1)
    size = ops.sum(ops.square(ops.sqrt(y_true[..., 3:5]) - ops.sqrt(y_pred[..., 3:5])), axis=-1)
    kind = ops.sum(ops.square(y_true[..., 5:] - y_pred[..., 5:]), axis=-1)
    with_object = there * (5 * (place + size) + ops.square(1 - said) + kind)
    without = 0.5 * (1 - there) * ops.square(said)
    return ops.sum(with_object + without, axis=(1, 2))
    ### END SOLUTION

# %% id="loss_of" tags=["students"]
from keras import ops


def loss_of(y_true, y_pred):
    """What grid_loss gives for two arrays, as an array."""
    return ops.convert_to_numpy(grid_loss(ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)))

# %% id="test_grid_loss" nbgrader={"grade_id": "test_grid_loss", "grade": true, "points": 3}
# test_grid_loss (@POINTS:test_grid_loss@ points): nothing at all; a false alarm; a missed dog; a box too narrow
nothing = np.zeros((1, 7, 7, 10), dtype=np.float32)
alarm, dog, small = nothing.copy(), nothing.copy(), nothing.copy()
alarm[0, 1, 2, 0] = 1
dog[0, 3, 3, [0, 1, 2, 3, 4, 5]] = 1, 0.5, 0.5, 0.64, 0.64, 1
small[0, 3, 3, [0, 1, 2, 3, 4, 5]] = 1, 0.5, 0.5, 0.36, 0.64, 1
cases = [
    ((nothing, nothing), [0]),
    ((nothing, alarm), [0.5]),
    ((dog, nothing), [5 * (0.25 + 0.25 + 0.64 + 0.64) + 1 + 1]),
    ((dog, small), [5 * (0.8 - 0.6) ** 2]),
]
### BEGIN HIDDEN TESTS
def some_grids(n):
    """Targets of n images, and predictions that have nothing to do with them."""
    truth = np.stack([true_target(*some_objects(k)) for k in random.integers(1, 7, n)]).astype(np.float32)
    said = random.random((n, 7, 7, 10)).astype(np.float32)
    return truth, said


def true_loss(truth, said):
    sums = []
    for one, other in zip(truth.astype(float).reshape(-1, 49, 10), said.astype(float).reshape(-1, 49, 10)):
        total = 0.0
        for t, p in zip(one, other):
            if t[0]:
                total += 5 * ((t[1:3] - p[1:3]) ** 2).sum() + 5 * ((t[3:5] ** 0.5 - p[3:5] ** 0.5) ** 2).sum()
                total += (1 - p[0]) ** 2 + ((t[5:] - p[5:]) ** 2).sum()
            else:
                total += p[0] ** 2 / 2
        sums.append(total)
    return np.array(sums)


batches = [some_grids(n) for n in (1, 1, 2, 3, 5, 8)]
perfect = some_grids(3)[0]
batches += [(perfect, perfect), (perfect, np.zeros_like(perfect)), (np.zeros_like(perfect), some_grids(3)[1])]
cases = [(batch, true_loss(*batch)) for batch in batches]
### END HIDDEN TESTS
points_for(loss_of, cases, points=3)

# %% [markdown] id="decode-text"
# ## Exercise 3: from a prediction to boxes
#
# A prediction has the shape of a target, with numbers between 0 and 1. Now go the other way. Each cell proposes one
# object:
#
# - its **label** is the likeliest class,
# - its **score** is objectness times the probability of that class: how sure are you that a dog is here?
# - its **box** is a corner box `(xmin, ymin, xmax, ymax)` in pixels of the 224-pixel frame, cut off where it leaves
#   the frame.
#
# Return labels `(n,)`, scores `(n,)` and boxes `(n, 4)` of the cells whose score is **at least** the threshold: the
# cells of the first row from left to right, then those of the second row, and so on. `n` may be 0; the shapes hold
# all the same.

# %% id="decode_cells" nbgrader={"grade_id": "decode_cells", "solution": true}
def decode_cells(prediction, threshold=0.01):
    """Labels (n,), scores (n,) from `threshold` up, and corner boxes (n, 4) that a prediction (7, 7, 10) holds."""
    ### BEGIN SOLUTION
    rows, columns = np.mgrid[:GRID, :GRID]
    scores = prediction[..., 0] * prediction[..., 5:].max(axis=-1)
    labels = prediction[..., 5:].argmax(axis=-1)
    middle = CELL * (np.stack([columns, rows], axis=-1) + prediction[..., 1:3])
    half = 224 * prediction[..., 3:5] / 2
    boxes = np.clip(np.concatenate([middle - half, middle + half], axis=-1), 0, 224)
    sure = scores >= threshold
    return labels[sure], scores[sure], boxes[sure]
    ### END SOLUTION

# %% id="test_decode_cells" nbgrader={"grade_id": "test_decode_cells", "grade": true, "points": 2}
# test_decode_cells (@POINTS:test_decode_cells@ points): one object that leaves the frame; then nothing at all
prediction = np.zeros((7, 7, 10))
prediction[2, 6, [0, 1, 2, 3, 4, 7, 8]] = 0.8, 0.5, 0.5, 0.5, 0.25, 0.25, 0.75
cases = [
    ((prediction, 0.5), (np.array([3]), np.array([0.6]), np.array([[152.0, 52, 224, 108]]))),
    ((prediction, 0.7), (np.zeros(0, int), np.zeros(0), np.zeros((0, 4)))),
]
### BEGIN HIDDEN TESTS
def some_prediction():
    """What a network might say: classes that sum to 1."""
    said = random.random((7, 7, 10))
    said[..., 0] **= 4
    said[..., 5:] = said[..., 5:] ** 6 / (said[..., 5:] ** 6).sum(axis=-1, keepdims=True)
    return said


def true_boxes(said, least):
    """Objects that a prediction proposes, cell by cell."""
    labels, scores, boxes = [], [], []
    for place, cell in enumerate(np.asarray(said, dtype=float).reshape(49, 10)):
        score = cell[0] * max(cell[5:])
        if score < least:
            continue
        x, y = 32 * (place % 7 + cell[1]), 32 * (place // 7 + cell[2])
        box = [x - 112 * cell[3], y - 112 * cell[4], x + 112 * cell[3], y + 112 * cell[4]]
        labels.append(int(np.argmax(cell[5:])))
        scores.append(score)
        boxes.append([min(max(edge, 0.0), 224.0) for edge in box])
    return np.array(labels, dtype=int), np.array(scores), np.array(boxes).reshape(-1, 4)


asked = [(some_prediction(), least) for least in (0.02, 0.1, 0.3, 0.6, 0.2, 0.05, 1.5)]
cases = [(each, true_boxes(*each)) for each in asked]
### END HIDDEN TESTS
points_for(decode_cells, cases, points=2)

# %% [markdown] id="nms-text"
# ## Exercise 4: non-maximum suppression
#
# A large dog covers many cells, and several of them are quite sure that its centre is theirs. So one dog becomes three
# boxes. **Non-maximum suppression** (NMS) clears up. For the boxes of one class:
#
# 1. take the box with the highest score that is left, and keep it;
# 2. throw away every other box whose IoU with it is **above** the threshold;
# 3. go on until no box is left.
#
# Return the **indices** of the boxes that are kept, the best first. `iou(box, boxes)` of `helpers` compares one
# corner box with many; `np.argsort(-scores, kind="stable")` sorts from the highest score to the lowest.
#
# (Is there no better way? [DETR](https://arxiv.org/abs/2005.12872) (Carion et al. 2020) learns to say each object
# once, and needs no NMS.)

# %% id="suppress_overlaps" nbgrader={"grade_id": "suppress_overlaps", "solution": true}
from helpers import iou


def suppress_overlaps(boxes, scores, threshold=0.5):
    """Indices of the corner boxes (n, 4) that non-maximum suppression keeps, the highest score first."""
    ### BEGIN SOLUTION
    left, kept = np.argsort(-scores, kind="stable"), []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        left = left[iou(boxes[best], boxes[left].reshape(-1, 4)) <= threshold]
    return np.array(kept, dtype=int)
    ### END SOLUTION

# %% id="test_suppress_overlaps" nbgrader={"grade_id": "test_suppress_overlaps", "grade": true, "points": 2}
# test_suppress_overlaps (@POINTS:test_suppress_overlaps@ points): two objects and three boxes; none; a chain
three = np.array([[0.0, 0, 100, 100], [120, 0, 200, 80], [5, 5, 100, 100]])
chain = np.array([[0.0, 0, 100, 100], [30, 0, 130, 100], [60, 0, 160, 100]])  # each overlaps the next
cases = [
    ((three, np.array([0.6, 0.7, 0.9]), 0.5), [2, 1]),
    ((np.zeros((0, 4)), np.zeros(0), 0.5), np.zeros(0)),
    ((chain, np.array([0.9, 0.8, 0.7]), 0.5), [0, 2]),
]
### BEGIN HIDDEN TESTS
def crowd(n, spread):
    """Boxes around a few places, so that many overlap, with scores of which no two are equal."""
    centers = random.uniform(50, 170, (3, 2))[random.integers(0, 3, n)] + random.normal(0, spread, (n, 2))
    half = random.uniform(25, 40, (n, 2))
    return np.concatenate([centers - half, centers + half], axis=1), random.permutation(n) / n + 0.5 / n


def shared(a, b):
    """IoU of two corner boxes."""
    both = max(min(a[2], b[2]) - max(a[0], b[0]), 0.0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0.0)
    whole = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both
    return both / whole if whole > 0 else 0.0


def true_kept(boxes, scores, most):
    chosen = []
    for index in sorted(range(len(boxes)), key=lambda one: -scores[one]):
        if all(shared(boxes[index], boxes[other]) <= most for other in chosen):
            chosen.append(index)
    return np.array(chosen)


asked = [(*crowd(n, spread), most) for n, spread, most in
         ((6, 8, 0.5), (9, 12, 0.5), (14, 15, 0.3), (14, 15, 0.7), (20, 20, 0.5), (1, 5, 0.5), (12, 10, 0.4))]
cases = [(each, true_kept(*each)) for each in asked] + [((np.zeros((0, 4)), np.zeros(0), 0.5), np.zeros(0))]
### END HIDDEN TESTS
points_for(suppress_overlaps, cases, points=2)

# %% [markdown] id="detect-text"
# Decoding and suppression together make a detector's answer to one image. Suppression works **class by class**: a cat
# on a dog's back is no second dog. The threshold is low on purpose: what follows looks at the surest boxes first, and the
# unsure ones still find objects. Who wants to *see* boxes takes a higher one.

# %% id="detect"
def detect(prediction, threshold=0.01):
    """Labels (n,), scores (n,) and corner boxes (n, 4) of the objects that a prediction (7, 7, 10) finds."""
    labels, scores, boxes = decode_cells(prediction, threshold)
    chosen = []
    for label in range(len(CLASSES)):
        here = np.flatnonzero(labels == label)
        chosen.extend(here[suppress_overlaps(boxes[here], scores[here])])
    return labels[chosen], scores[chosen], boxes[chosen]

# %% [markdown] id="measure-text"
# # How good is a detector?
#
# An accuracy will not do. A detector can miss objects, and it can see objects that are not there, and by moving its
# threshold it can trade one for the other. The field's answer takes four steps.
#
# ## Exercise 5: which boxes are right?
#
# For **one image and one class**: the boxes found with their scores, and the true boxes. VOC's rule:
#
# - the found boxes are looked at from the highest score to the lowest;
# - each is compared with the true box that it overlaps **most**. If their IoU is **above 0.5** and no box before has
#   claimed that true box, it is right, and the true box is taken;
# - otherwise it is wrong. A second box on the same dog is wrong, however well it fits.
#
# Return an array `(n,)` of `True` and `False`, in the order in which the boxes were **given**.

# %% id="match_objects" nbgrader={"grade_id": "match_objects", "solution": true}
def match_objects(boxes, scores, truth):
    """Which of the found corner boxes (n, 4) with scores (n,) are right, given the true ones (m, 4): booleans (n,)."""
    ### BEGIN SOLUTION
    right, taken = np.zeros(len(boxes), dtype=bool), set()
    for index in np.argsort(-scores, kind="stable"):
        overlaps = iou(boxes[index], truth) if len(truth) else np.zeros(1)
        best = int(np.argmax(overlaps))
        if overlaps[best] > 0.5 and best not in taken:
            right[index] = True
            taken.add(best)
    return right
    ### END SOLUTION

# %% id="test_match_objects" nbgrader={"grade_id": "test_match_objects", "grade": true, "points": 2}
# test_match_objects (@POINTS:test_match_objects@ points): two boxes on one object; nothing there; nothing found
truth = np.array([[0.0, 0, 100, 100], [150, 150, 200, 200]])
found = np.array([[0.0, 0, 90, 100], [0, 0, 100, 100], [100, 100, 150, 150]])
cases = [
    ((found, np.array([0.3, 0.9, 0.5]), truth), [False, True, False]),
    ((found, np.array([0.9, 0.3, 0.5]), truth), [True, False, False]),
    ((found, np.array([0.3, 0.9, 0.5]), np.zeros((0, 4))), [False, False, False]),
    ((np.zeros((0, 4)), np.zeros(0), truth), np.zeros(0, bool)),
]
### BEGIN HIDDEN TESTS
def true_right(boxes, scores, true):
    """VOC's rule, box by box."""
    free, answer = [True] * len(true), [False] * len(boxes)
    for index in sorted(range(len(boxes)), key=lambda one: -scores[one]):
        overlaps = [shared(boxes[index], each) for each in true]
        if overlaps and max(overlaps) > 0.5 and free[overlaps.index(max(overlaps))]:
            free[overlaps.index(max(overlaps))], answer[index] = False, True
    return np.array(answer, dtype=bool)


def near(true, n):
    """Boxes that fit true ones more or less well, several on some of them."""
    of = random.integers(0, len(true), n)
    return true[of] + random.normal(0, 9, (n, 4)), random.permutation(n) / n + 0.25 / n


asked = []
for count, claimed in ((1, 4), (2, 5), (3, 6), (3, 9), (2, 1), (4, 12), (5, 15)):
    there = crowd(count, 30)[0]
    asked.append((*near(there, claimed), there))
asked += [(*crowd(4, 20), np.zeros((0, 4))), (np.zeros((0, 4)), np.zeros(0), crowd(3, 20)[0])]
cases = [(each, true_right(*each)) for each in asked]
### END HIDDEN TESTS
points_for(match_objects, cases, points=2)

# %% [markdown] id="precision-text"
# ## Exercise 6: precision and recall
#
# Now take the boxes of a class from **all** images together, the surest first, and go down the list. After each box:
#
# $$\text{precision} = \frac{\text{right boxes so far}}{\text{boxes so far}} \qquad \text{recall} = \frac{\text{right boxes so far}}{\text{objects that there are}}$$
#
# A cautious detector stops early: high precision, low recall. Return both, each `(n,)`, from the highest score to the
# lowest. `np.cumsum` counts as it goes.

# %% id="precision_and_recall" nbgrader={"grade_id": "precision_and_recall", "solution": true}
def precision_and_recall(right, scores, total):
    """Precision (n,) and recall (n,) after each box, highest score first; `total` objects are there, at least one."""
    ### BEGIN SOLUTION
    hits = np.cumsum(right[np.argsort(-scores, kind="stable")])
    return hits / np.arange(1, len(right) + 1), hits / total
    ### END SOLUTION

# %% id="test_precision_and_recall" nbgrader={"grade_id": "test_precision_and_recall", "grade": true, "points": 1}
# test_precision_and_recall (@POINTS:test_precision_and_recall@ point): right, wrong, right, of four objects
cases = [
    ((np.array([True, True, False]), np.array([0.9, 0.2, 0.5]), 4), ([1, 1 / 2, 2 / 3], [1 / 4, 1 / 4, 2 / 4])),
    ((np.zeros(0, bool), np.zeros(0), 3), (np.zeros(0), np.zeros(0))),
]
### BEGIN HIDDEN TESTS
def some_list(n, total):
    """Boxes of which at most `total` are right, in no order."""
    hit = np.zeros(n, dtype=bool)
    hit[random.permutation(n)[: min(total, (n + 1) // 2)]] = True
    return hit, random.permutation(n) / max(n, 1), total


def true_curve(hit, scores, total):
    precision, recall, so_far = [], [], 0
    for place, index in enumerate(sorted(range(len(hit)), key=lambda one: -scores[one]), start=1):
        so_far += int(hit[index])
        precision.append(so_far / place)
        recall.append(so_far / total)
    return np.array(precision), np.array(recall)


lists = [some_list(n, total) for n, total in ((1, 1), (5, 4), (12, 3), (30, 40), (60, 20), (0, 7))]
cases = [(each, true_curve(*each)) for each in lists]
### END HIDDEN TESTS
points_for(precision_and_recall, cases, points=1)

# %% [markdown] id="ap-text"
# ## Exercise 7: average precision
#
# One number for the whole curve: the area under it, **average precision** (AP). The raw curve is a saw; so it is
# first made to fall only. For every recall, the precision is replaced by the **highest precision at that recall or
# any higher one**. The area under the result is a sum of rectangles, one for each step of recall:
#
# $$\mathrm{AP} = \sum_i (r_i - r_{i-1}) \, \max_{j \ge i} p_j, \qquad r_0 = 0$$
#
# This is the definition of VOC's development kit **since 2010**. The kit of 2007 took the mean of the highest
# precision at the eleven recalls 0, 0.1, ... 1, which is coarser. COCO takes 101. Say which one you use when you
# report a number.
#
# `np.maximum.accumulate` keeps the highest so far; `[::-1]` turns an array round. Without any box the AP is 0.

# %% id="average_precision" nbgrader={"grade_id": "average_precision", "solution": true}
def average_precision(precision, recall):
    """Area under the interpolated curve of precision (n,) against recall (n,), in the order of rising recall."""
    ### BEGIN SOLUTION
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * envelope))
    ### END SOLUTION

# %% id="test_average_precision" nbgrader={"grade_id": "test_average_precision", "grade": true, "points": 2}
# test_average_precision (@POINTS:test_average_precision@ points): all found at once; a saw; nothing found
cases = [
    ((np.array([1.0, 1.0]), np.array([0.5, 1.0])), 1),
    ((np.array([1.0, 0.5, 2 / 3, 0.5]), np.array([0.25, 0.25, 0.5, 0.5])), 0.25 * 1 + 0.25 * 2 / 3),
    ((np.zeros(0), np.zeros(0)), 0),
]
### BEGIN HIDDEN TESTS
def true_area(precision, recall):
    area, before = 0.0, 0.0
    for place in range(len(recall)):
        area += (recall[place] - before) * max(precision[place:])
        before = recall[place]
    return area


sizes = (1, 1), (4, 4), (10, 3), (25, 40), (60, 20), (40, 6), (3, 9)
curves = [true_curve(*some_list(n, total)) for n, total in sizes]
cases = [(each, true_area(*each)) for each in curves]
### END HIDDEN TESTS
points_for(average_precision, cases, points=2)

# %% [markdown] id="map-text"
# ## Exercise 8: mean average precision
#
# Put the pieces together. For each class that has at least one true object: match image by image, join the results of
# all images, then precision, recall and AP. The **mAP** is the mean over these classes. A class that has no true
# object at all is left out, whatever was found of it.

# %% id="mean_average_precision" nbgrader={"grade_id": "mean_average_precision", "solution": true}
def mean_average_precision(found, truth):
    """mAP at an IoU of 0.5, for images in the same order.

    found: for each image (labels (n,), scores (n,), corner boxes (n, 4)).
    truth: for each image (labels (m,), corner boxes (m, 4)).
    """
    ### BEGIN SOLUTION
    values = []
    for label in sorted({int(kind) for kinds, places in truth for kind in kinds}):
        right, sure, total = [np.zeros(0, bool)], [np.zeros(0)], 0
        for (labels, scores, boxes), (true_labels, true_boxes_here) in zip(found, truth):
            mine, wanted = labels == label, true_boxes_here[true_labels == label]
            right.append(match_objects(boxes[mine], scores[mine], wanted))
            sure.append(scores[mine])
            total += len(wanted)
        values.append(average_precision(*precision_and_recall(np.concatenate(right), np.concatenate(sure), total)))
    return float(np.mean(values))
    ### END SOLUTION

# %% id="test_mean_average_precision" nbgrader={"grade_id": "test_mean_average_precision", "grade": true, "points": 1}
# test_mean_average_precision (@POINTS:test_mean_average_precision@ point): a dog found, a cat missed, a bus imagined
box = np.array([[0.0, 0, 50, 50]])
none = (np.zeros(0, int), np.zeros(0), np.zeros((0, 4)))
cases = [
    (([(np.array([0, 2]), np.array([0.9, 0.8]), np.concatenate([box, box])), none],
      [(np.array([0]), box), (np.array([1]), box)]), 0.5),
]
### BEGIN HIDDEN TESTS
def true_map(found, truth):
    """The mean, over classes with objects, of the area under the interpolated curve."""
    areas = []
    for label in range(5):
        hit, sure, total = [], [], 0
        for (labels, scores, boxes), (kinds, true) in zip(found, truth):
            mine = [index for index in range(len(labels)) if labels[index] == label]
            wanted = [each for kind, each in zip(kinds, true) if kind == label]
            hit += list(true_right([boxes[index] for index in mine], [scores[index] for index in mine], wanted))
            sure += [scores[index] for index in mine]
            total += len(wanted)
        if total:
            areas.append(true_area(*true_curve(hit, sure, total)))
    return float(np.mean(areas))


def some_answers(n):
    """True objects of n images, and what a mediocre detector says of them."""
    found, truth = [], []
    for _ in range(n):
        count = int(random.integers(1, 5))
        boxes, kinds = crowd(count, 30)[0], random.integers(0, 4, count)
        of = random.integers(0, count, 2 * count)
        said = boxes[of] + random.normal(0, 7, (2 * count, 4))
        labels = np.where(random.random(2 * count) < 0.8, kinds[of], random.integers(0, 5, 2 * count))
        found.append((labels, random.random(2 * count), said))
        truth.append((kinds, boxes))
    return found, truth


cases = [(each, true_map(*each)) for each in (some_answers(n) for n in (3, 8, 15, 25))]
### END HIDDEN TESTS
points_for(mean_average_precision, cases, points=1)

# %% [markdown] id="build-text"
# # Build the detector
#
# ## Exercise 9
#
# Everything is there but the network. It gets a representation `(7, 7, 2048)` and gives `(7, 7, 10)`, ten numbers for
# each position, all between 0 and 1. Convolutions keep the positions, so a few of them are enough:
#
# - a `Conv2D` with kernel size 1 looks at each position alone, and reduces 2048 channels to fewer;
# - a `Conv2D` with kernel size 3 and `padding="same"` lets neighbouring positions talk to each other;
# - for the output: `sigmoid` for the first five numbers, `softmax` for the classes, and `Concatenate`.
#
# **How much of the image does a cell see?** To know that it holds the *centre* of a dog, a cell has to know where the dog
# begins and where it ends, and a large dog covers nearly all cells. After one convolution of size 3 a cell has heard of
# 3 × 3 positions, after two of 5 × 5. How many does the cell in the middle need until it has heard of all others, and how
# many a cell in a corner? Try one, then a number between these two: on photographs nothing else made as much difference.
#
# There are only some hundred images, so `Dropout` will help. Return a **compiled** model with your `grid_loss`.

# %% id="build_detector" nbgrader={"grade_id": "build_detector", "solution": true}
from keras import Model
from keras.layers import Concatenate, Conv2D, Dropout, Input
from keras.optimizers import Adam

epochs = 30  # how long the model below is trained, and on how many images at a time
batch_size = 32


def build_detector(num_classes):
    """A compiled model: representation (7, 7, 2048) -> objectness, box and classes of the cells, (7, 7, 10)."""
    model_input = Input(shape=(7, 7, 2048))
    ### BEGIN SOLUTION
    x = Dropout(0.2)(Conv2D(64, 1, activation="relu")(model_input))
    for _ in range(4):
        x = Dropout(0.2)(Conv2D(64, 3, padding="same", activation="relu")(x))
    boxes = Conv2D(5, 1, activation="sigmoid")(x)
    classes = Conv2D(num_classes, 1, activation="softmax")(x)
    model = Model(model_input, Concatenate()([boxes, classes]), name="grid_detector")
    model.compile(optimizer=Adam(2e-3), loss=grid_loss)
    ### END SOLUTION
    return model

# %% [markdown] id="train-text"
# Train it. This cell is the same for everybody: what you want to change, change in your own cell above. A tenth of the
# training images is set aside for validation, as always, and the test images stay where they are. At its end the
# detector answers for the test images twice: as they are, and moved by two positions. Why moved? Guess now; you will see
# below.

# %% id="moved" nbgrader={"grade_id": "moved", "locked": true}
def moved(maps):
    """Maps (N, 7, 7, C), two positions further down and to the right; what leaves comes back on the other side."""
    return np.roll(maps, (2, 2), axis=(1, 2))

# %% id="train" nbgrader={"grade_id": "train", "locked": true}
from helpers import fix_seeds

fix_seeds(SEED)
detector = outputs = outputs_moved = None  # so that the cells below can tell if the next lines fail
targets = np.stack([assign_to_cells(*tensorize_objects(image)) for image in images[parts.train]])
detector = build_detector(len(CLASSES))
history = detector.fit(
    reprs[parts.train], targets, validation_split=0.1, batch_size=batch_size, epochs=epochs, verbose=2
)
outputs = detector.predict(reprs[parts.test], verbose=0)
outputs_moved = detector.predict(moved(reprs[parts.test]), verbose=0)

# %% id="train-plot" tags=["demo"]
if outputs is not None:
    figure, ax = plt.subplots(figsize=(7, 4))
    for name, values in history.history.items():
        ax.plot(range(1, len(values) + 1), values, label={"loss": "training", "val_loss": "validation"}.get(name, name))
    ax.set(xlabel="Epoch", ylabel="Loss of an image")
    ax.legend()
    show_figure(figure, "Learning curves: the loss on the training images and on the validation images, by epoch")

# %% [markdown] id="see-text"
# What does it say of images that it has not learnt from? These are the validation images; the test images are for the
# last measurement. On the left the objectness of the 49 cells, then the boxes as they
# come out of the cells, then what suppression leaves of them. Find a mistake of each kind: an object that was missed,
# a box where nothing is, a wrong class, two boxes for one object.

# %% id="see" tags=["demo"]
SURE = 0.3
if outputs is not None:
    watched, answers = images[parts.validation], detector.predict(reprs[parts.validation], verbose=0)
    rows = [index for index, image in enumerate(watched) if len(image["objects"]) > 1][:3]
    figure, axes = plt.subplots(len(rows), 3, figsize=(11, 3.4 * len(rows)), squeeze=False)
    for (first, middle, last), index in zip(axes, rows):
        image = watched[index]
        first.imshow(answers[index][..., 0], vmin=0, vmax=1)
        first.set_title("objectness")
        for ax, function in ((middle, decode_cells), (last, detect)):
            labels, scores, boxes = function(answers[index], SURE)
            found = [(box, f"{CLASSES[label]} {score:.2f}") for label, score, box in zip(labels, scores, boxes)]
            draw_objects(ax, image_path(voc_root, image), found=found, truth=true_objects(image) if ax is last else ())
        middle.set_title("all cells that are sure")
        last.set_title("after suppression (orange: the truth)")
    figure.tight_layout()
    show_figure(figure, "Validation images: objectness of the cells, boxes of all sure cells, boxes left after suppression")

# %% [markdown] id="curves-text"
# And the curves of precision and recall, class by class. Which class is hard? Where does a curve end, and why not at a
# recall of 1?

# %% id="truth_of_test"
from helpers import center_to_corners, partial_credit, representation_key, thresholds_for


def labelled_boxes(image):
    """Labels (m,) and corner boxes (m, 4) in the 224-pixel frame of an image's objects."""
    labels, boxes = tensorize_objects(image)
    return labels, center_to_corners(boxes)


truth_of_test = [labelled_boxes(image) for image in images[parts.test]]

# %% id="curves" tags=["demo"]
if outputs is not None:
    found_in = [detect(answer) for answer in answers]
    there = [labelled_boxes(image) for image in watched]
    figure, ax = plt.subplots(figsize=(7, 5))
    for label, name in enumerate(CLASSES):
        right, sure, total = [], [], 0
        for (labels, scores, boxes), (kinds, true) in zip(found_in, there):
            right.append(match_objects(boxes[labels == label], scores[labels == label], true[kinds == label]))
            sure.append(scores[labels == label])
            total += int((kinds == label).sum())
        precision, recall = precision_and_recall(np.concatenate(right), np.concatenate(sure), max(total, 1))
        ax.plot(recall, precision, label=f"{name}: AP {average_precision(precision, recall):.2f}")
    ax.set(xlabel="Recall", ylabel="Precision", xlim=(0, 1), ylim=(0, 1.02))
    ax.legend()
    show_figure(figure, "Precision against recall on the validation images, one curve for each of the five classes")

# %% [markdown] id="moved-text"
# # Does it look where things are?
#
# In most photographs one large object stands in the middle. A model that averages all positions, as a class head may,
# knows nothing of places; but it can say "a dog, and where dogs usually are". On photographs that made an mAP of 0.25
# where a detector had 0.29, and such a model has found nothing. How do we tell them apart?
#
# **Move the map**: two positions down, two to the right, 64 pixels each. The average stays exactly what it was, so a
# model that averages says what it said before. And a detector? Look whether the objectness moves along. What would these
# pictures show for a model that averages?

# %% id="see-moved" tags=["demo"]
if outputs is not None:
    answers_moved = detector.predict(moved(reprs[parts.validation][rows]), verbose=0)
    figure, axes = plt.subplots(2, len(rows), figsize=(3 * len(rows), 6), squeeze=False)
    for (above, below), index, after in zip(axes.T, rows, answers_moved):
        above.imshow(answers[index][..., 0], vmin=0, vmax=1)
        below.imshow(after[..., 0], vmin=0, vmax=1)
    axes[0][0].set_ylabel("as it is")
    axes[1][0].set_ylabel("moved by two positions")
    figure.tight_layout()
    show_figure(figure, "Objectness of the 49 cells for three validation images, and below for the same maps, moved")

# %% [markdown] id="minimum-text"
# # The detector's mAP
#
# Two measurements on the test images. The first is the mAP on all of them. But most photographs show *one* object, and
# there a model without a grid, one class and one box for the whole image, can come close to yours. So the second
# is the mAP on those images that hold two objects or more: of three dogs, one box finds one. From both we subtract what
# is left of it when the maps are moved: next to nothing for a detector, everything for a model that does not look where
# things are.
#
# The minimums depend on the data and on the representations in use, and were measured on them: points begin above
# `..._start`, and from the other number on you have all of them. Photographs are much harder than drawn scenes, and
# small objects much harder than large ones; an mAP that looks low is not a broken detector.

# %% id="thresholds" tags=["demo", "inline-json", "examiners"]
THRESHOLDS = json.loads(Path("thresholds.json").read_text(encoding="utf-8"))
minimum = thresholds_for(THRESHOLDS, representation_key(reprs_files[0]))
print(minimum)

# %% id="test_detector" nbgrader={"grade_id": "test_detector", "grade": true, "points": 2}
# test_detector (@POINTS:test_detector@ points): the mAP on the test images, less what is left when the maps are moved
def checked(outputs):
    """What the detector says of the test images, if it can be measured."""
    assert outputs is not None, "There is no detector: complete build_detector, then run the cell that trains it."
    said = np.asarray(outputs)
    shape = (len(truth_of_test), GRID, GRID, 5 + len(CLASSES))
    assert said.shape == shape, f"The detector must give {shape[1:]} for each image; it gave {said.shape[1:]}."
    assert said.dtype.kind == "f" and np.isfinite(said).all(), "The detector gives NaN: the training has diverged."
    return said


def measured(said, truth):
    """The mAP by your own functions."""
    return mean_average_precision([detect(output) for output in said], truth)


### BEGIN HIDDEN TESTS
def measured(said, truth):
    answers = []
    for output in said:
        kinds, sure, places = true_boxes(output, 0.01)
        left = []
        for kind in range(5):
            mine = np.flatnonzero(kinds == kind)
            left.extend(mine[true_kept(places[mine], sure[mine], 0.5).astype(int)])
        answers.append((kinds[left], sure[left], places[left]))
    return true_map(answers, truth)
### END HIDDEN TESTS
def by_looking(chosen):
    """The mAP on some of the test images, less the mAP on the same with their maps moved; it is printed."""
    truth = [truth_of_test[index] for index in chosen]
    value, left = (measured(checked(said)[chosen], truth) for said in (outputs, outputs_moved))
    print(f"The mAP on {len(chosen)} test images is {value:.3f}, and {left:.3f} with their maps moved.")
    return value - left


gained = by_looking(range(len(truth_of_test)))
points = partial_credit(gained, minimum["map_start"], minimum["map"], points=2)
print(
    f"The difference is {gained:.3f}. Points start at {minimum['map_start']}, "
    f"and all @POINTS:test_detector@ are given from {minimum['map']}."
)
points

# %% id="test_several" nbgrader={"grade_id": "test_several", "grade": true, "points": 2}
# test_several (@POINTS:test_several@ points): the same on the test images with two objects or more
gained = by_looking([index for index, (labels, _) in enumerate(truth_of_test) if len(labels) > 1])
points = partial_credit(gained, minimum["several_start"], minimum["several"], points=2)
print(
    f"The difference is {gained:.3f}. Points start at {minimum['several_start']}, "
    f"and all @POINTS:test_several@ are given from {minimum['several']}."
)
points

# %% [markdown] id="further-text"
# # Going further
#
# Nothing here is graded.
#
# - **Two objects in one cell.** YOLO's second version gives each cell several boxes of different shapes (*anchors*);
#   SSD has done so from the start, on grids from 38 × 38 to 1 × 1. What would have to change in `assign_to_cells`?
# - **Which loss?** Replace the squared error of the objectness by the binary cross-entropy, or weigh it by how hard a
#   cell is (the focal loss of [Lin et al. 2017](https://arxiv.org/abs/1708.02002)). Does the mAP rise?
# - **Another average precision.** Compute the 11-point AP of VOC 2007 beside yours. By how much do they differ, and
#   on which side?
# - **Difficult objects.** VOC marks objects that are hard to see as *difficult* and counts them neither way. We count
#   all of them. What does `load_all_annotations(voc_root, difficult="ignore")` change, and is a found difficult
#   object a mistake?
# - **No suppression at all.** Read how [DETR](https://arxiv.org/abs/2005.12872) assigns boxes to objects one to one,
#   and why that makes suppression unnecessary.

# %% [markdown] id="handing-in"
# ## Handing in
#
# Save the notebook, then let the next cell have a last look at it: is everything saved, run and in its place? Then
# download the notebook (**File > Download > Download .ipynb** on Colab) and hand it in.

# %% id="ready" tags=["demo"]
helpers.ready_to_submit(["@COURSE_CELLS@"])
