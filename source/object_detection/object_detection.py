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
# # Object Detection
#
# In this notebook, we will build a simple object detection model with two heads:
#
# - a **classification head** that predicts the class of the object in the image,
# - a **localization head** that predicts the bounding box of the object in the image.
#
# We will use the Pascal VOC 2007 data set, which contains 20 classes of objects. We keep 5 of them: "dog", "cat",
# "bus", "car" and "aeroplane". To get started, we use a pre-trained ResNet50 to precompute the convolutional
# representations of the images. Then we build a small model on top of them that predicts the class and the box.
#
# **How this is graded.** You will write three short functions on the way, and near the end `classif_and_loc`, the
# model, which nearly all points hang on. Nine tests are worth @POINTS@ points in all; you can see eight of them.
#
# | test | points | what it asks |
# | --- | --- | --- |
# | `test_tensorize_ground_truth` | @POINTS:test_tensorize_ground_truth@ | do annotations become the right numbers? |
# | `test_interpret_output` | @POINTS:test_interpret_output@ | do numbers become a class and a box again? |
# | `test_kinds_of_error` | @POINTS:test_kinds_of_error@ | is each wrong prediction put down to its cause? |
# | `test_output_shapes` | @POINTS:test_output_shapes@ | are there two heads, in the right order, with the right shapes? |
# | `test_class_accuracy` | @POINTS:test_class_accuracy@ | does the model name the object? |
# | `test_iou` | @POINTS:test_iou@ | how much better are its boxes than the best ones that need no localising? |
# | `test_follows` | @POINTS:test_follows@ | do centre and size of its boxes follow the object? |
# | `test_positions` | @POINTS:test_positions@ | does it use the positions of the representation? |
# | `hidden_tests` | @POINTS:hidden_tests@ | is a model that localises sound in other respects, too? |
#
# Three times you will be asked to **predict, then look**: say what you expect before you run the next cell. That gives no
# points, so a wrong guess costs nothing; it is how one learns most from a picture.
#
# On the way, `helpers.check` tells you where you stand, on images set aside for that. The tests look at the test images:
# run them once, at the end. The points themselves are given later, by asking your model for its predictions and
# measuring them where no code of yours runs.

# %% [markdown] id="gpu-text"
# Before we start: if you are on Google Colab, enable the GPU. Go to **Runtime > Change runtime type** and select a
# **GPU** under **Hardware accelerator**. Without one everything still works, it only takes longer.

# %% id="imports"
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import helpers

SEED = 0  # every training below starts from this seed, so that running it again gives the same result

helpers.setup();

# %% [markdown] id="data-text"
# ## The data
#
# Two downloads, once: the images with their annotations (460 MB) and the precomputed representations (507 MB). If a
# download breaks, run the cell again: it continues where it stopped.

# %% id="data"
from helpers import fetch_representations, fetch_voc2007

voc_root = fetch_voc2007()
reprs_path = fetch_representations()

helpers.setup(voc_root, reprs_path);

# %% [markdown] id="plan"
# # Classification and Localization model
#
# The objective is to build and train a classification and localization network. The exercise shows how flexible deep
# learning is with several, heterogeneous outputs: classes and bounding boxes.
#
# We will proceed in three steps:
#
# - **extract label annotations** from a standard object detection data set, Pascal VOC 2007;
# - use a pre-trained image classification model, ResNet50, to **precompute convolutional representations** of shape
#   `(7, 7, 2048)` for all the images in the object detection training set;
# - **design and train a baseline object detection model with two heads**, to predict the class (5 possible classes)
#   and the bounding box coordinates of the single object in the image.

# %% [markdown] id="annotations-text"
# ## Loading images and annotations
#
# [Pascal VOC 2007](http://host.robots.ox.ac.uk/pascal/VOC/) is widely used in detection and segmentation. Each image
# comes with an XML file that lists the objects in it. The first steps:
#
# - parse the XML file of every image,
# - keep the images that hold exactly **one** object of our 5 classes.
#
# Parsing one file gives the size of the image, its file name, and each object with its box:

# %% id="one-annotation" tags=["demo"]
from helpers import extract_xml_annotation

first_xml = sorted(Path(voc_root).glob("*/Annotations/*.xml"))[0]
extract_xml_annotation(first_xml)

# %% [markdown] id="voc-boxes"
# A box is `[xmin, ymin, xmax, ymax]`, in pixels from the top left corner. VOC counts pixels **from 1** and means both
# ends **inclusively**: the box of the whole image is `[1, 1, width, height]`.
#
# `load_annotations` does this for every image, and keeps those with a single object of interest:

# %% id="annotations"
from helpers import CLASSES, idx2labels, labels2idx, load_annotations

annotations = load_annotations(voc_root)
num_classes = len(CLASSES)

print("Number of images with annotations:", len(annotations))

# %% [markdown] id="annotations-check"
# On the complete Pascal VOC 2007 you should see 1264 images. Here is the first annotation:

# %% id="first-annotation" tags=["demo"]
print("Contents of annotations[0]:\n", annotations[0])

# %% [markdown] id="show-image-text"
# Let's look at that image, then draw its box into it.

# %% id="show-image" tags=["demo"]
from helpers import draw_bbox, image_path, show_figure
from skimage.io import imread

img = imread(image_path(voc_root, annotations[0]))
print("Image shape:", img.shape)

fig, axes = plt.subplots(1, 2, figsize=(12, 5))
axes[0].imshow(img)
axes[1].imshow(draw_bbox(img, annotations[0]["bbox"]))
for ax in axes:
    ax.axis("off")
show_figure(fig, f"The first image, which shows a {annotations[0]['class']}; then with a box around it")

# %% [markdown] id="look-around-text"
# **Always look at your data.** One image is not much: here are two of each class. What will be easy, what will be hard?

# %% id="look-around" tags=["demo"]
fig, axes = plt.subplots(2, num_classes, figsize=(16, 6))
for column, name in enumerate(CLASSES):
    chosen = [annotation for annotation in annotations if annotation["class"] == name][:2]
    for ax, annotation in zip(axes[:, column], chosen):
        picture = imread(image_path(voc_root, annotation))
        ax.imshow(draw_bbox(picture, annotation["bbox"]))
        ax.set_title(name)
        ax.axis("off")
fig.tight_layout()
show_figure(fig, f"Two images of each class, with their boxes: {', '.join(CLASSES)}")

# %% id="labels" tags=["demo"]
print("Correspondence between indices and labels:\n", idx2labels)

# %% [markdown] id="representations-text"
# ## Pre-computing representations
#
# Before we design the detection model itself, we use a pre-trained model to compute convolutional representations of
# the images. In simpler terms: a big model that has already seen a million images extracts features, and a small model
# of ours learns to predict the class and the box from these features. That makes training very much faster.
#
# `headless_resnet50` loads a ResNet50 trained on ImageNet without its last layers, the average pooling and the
# classifier. What remains is convolutional: it keeps positions. Its output is the last activation, **after** the ReLU,
# so no value is negative.

# %% id="headless" tags=["demo"]
from helpers import headless_resnet50

try:
    headless_conv = headless_resnet50(weights="imagenet")
except ConnectionError as error:
    print(error, "\nWithout a network we go on with random weights: the shapes are the same.")
    headless_conv = headless_resnet50(weights=None)

print("input:", headless_conv.input_shape, " output:", headless_conv.output_shape)

# %% [markdown] id="predict-batch-text"
# ### Predicting on a batch of images
#
# `predict_batch(model, images, img_size)`:
#
# - resizes each image to `img_size`, that is `(height, width)`,
# - stacks them as a batch of shape `(batch, height, width, 3)`,
# - preprocesses the batch as ResNet50 expects it and makes a forward pass with the model.
#
# Let's test it on a cat:

# %% id="cat" tags=["demo"]
from skimage import data

cat = data.cat()
fig, ax = plt.subplots()
ax.imshow(cat)
ax.axis("off")
show_figure(fig, "A photograph of a cat")

# %% id="cat-output" tags=["demo"]
from helpers import predict_batch

output = predict_batch(headless_conv, [cat], (1000, 224))
print("output shape", output.shape)

# %% [markdown] id="cat-shape"
# The output has shape `(batch, 1000/32 → 32, 224/32 = 7, 2048)`: one vector of 2048 numbers for every 32 × 32 pixels.
# For a square image of 224 × 224 pixels that makes `(7, 7, 2048)`.
#
# ### Representations of all the images in our annotations
#
# Computing them takes a while, above all without a GPU, so it was done for you. With a GPU and a few minutes you could
# do it yourself:
#
# ```python
# paths = [image_path(voc_root, annotation) for annotation in annotations]
# helpers.extract_features(paths, "my_representations.h5", data_set="voc2007")
# ```
#
# A file of representations knows images only by their place in it. `load_representations` gives the rows that belong
# to our annotations, in their order, and refuses a file that does not match them.

# %% id="representations"
from helpers import load_representations, representation_key

reprs = load_representations(reprs_path, annotations, voc_root)

print("These representations are:", representation_key(reprs_path))
print("Shape:", reprs.shape)

# %% [markdown] id="positions-text"
# Each of the 7 × 7 positions looks at its own part of the image. Where is the activation strong?

# %% id="positions" tags=["demo"]
from helpers import plot_positions

plot_positions(reprs[0], image_path(voc_root, annotations[0]), annotations[0]["bbox"])
print(f"Share of zeros among the values: {(reprs[:100] == 0).mean():.0%}")

# %% [markdown] id="positions-remark"
# Keep the third panel in mind. **Global average pooling** replaces the 49 positions by their average. The average
# knows *what* is in the image, but an object on the left and the same object on the right now look much alike. That is
# fine to name the object. Is it fine to find it? We will see below.

# %% [markdown] id="truth-text"
# ## Building ground truth from annotations
#
# We cannot use the annotation dictionaries directly as ground truth: our model will output a tensor of shape
# `(batch, num_classes)` for the classes and a tensor of shape `(batch, 4)` for the boxes. So we build the tensors that
# these outputs will be compared with.
#
# **Box coordinates**
#
# - Images are resized to 224 × 224 to be fed to ResNet50, so boxes need to be resized accordingly.
# - Top left and bottom right corners `(x1, y1, x2, y2)` become centre, width and height `(xc, yc, w, h)`.
#
# **Class labels**
#
# - Each label becomes a one-hot vector: 1 at the index of its class, 0 elsewhere.
#
# **Write it**, for a frame of any `side`: 224 is ResNet50's, other networks take other images, and your function is tested
# with other sides, too. `annotation["size"]` is the width and the height of the photograph, `labels2idx` gives the index of a
# class. Remember how VOC counts: the box of the whole image, `[1, 1, width, height]`, has its corners at `(0, 0)` and
# `(width, height)`, so with a side of 224 it becomes the centre box `(112, 112, 224, 224)`. A loop over the annotations is
# fine.

# %% id="tensorize_ground_truth" nbgrader={"grade_id": "tensorize_ground_truth", "solution": true}
def tensorize_ground_truth(annotations, side):
    """Classes (N, 5), one-hot in the order of CLASSES, and centre boxes (N, 4) in a frame of side x side pixels."""
    classes, boxes = np.zeros((len(annotations), 5)), np.zeros((len(annotations), 4))
    ### BEGIN SOLUTION
    for row, annotation in enumerate(annotations):
        classes[row, labels2idx[annotation["class"]]] = 1
        xmin, ymin, xmax, ymax = annotation["bbox"]
        across, down = (side / length for length in annotation["size"])
        x1, x2 = across * (xmin - 1), across * xmax  # VOC counts from 1 and means both ends
        y1, y2 = down * (ymin - 1), down * ymax
        boxes[row] = (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1
    ### END SOLUTION
    return classes, boxes

# %% id="test_tensorize_ground_truth" nbgrader={"grade_id": "test_tensorize_ground_truth", "grade": true, "points": 1}
# test_tensorize_ground_truth (@POINTS:test_tensorize_ground_truth@ point): a car that fills its photograph, a cat in a corner
examples = [
    {"filename": "a.jpg", "size": (500, 333), "class": "car", "bbox": [1, 1, 500, 333]},
    {"filename": "b.jpg", "size": (448, 224), "class": "cat", "bbox": [1, 1, 112, 56]},
]
wanted_classes = [[0, 0, 0, 1, 0], [0, 1, 0, 0, 0]]
wanted_boxes = [[112, 112, 224, 224], [28, 28, 56, 56]]
side = 224
### BEGIN HIDDEN TESTS
random = np.random.default_rng(20_073)
examples = []
for n in range(12):
    width, height = (int(length) for length in random.integers(120, 500, 2))
    left, top = int(random.integers(1, width // 2)), int(random.integers(1, height // 2))
    right, bottom = int(random.integers(left + 9, width)), int(random.integers(top + 9, height))
    kind = CLASSES[int(random.integers(5))]
    examples.append({"filename": f"{n}.jpg", "size": (width, height), "class": kind, "bbox": [left, top, right, bottom]})
side = 320
wanted_classes, wanted_boxes = helpers.tensorize_ground_truth(examples)
wanted_boxes = wanted_boxes * (side / 224)
### END HIDDEN TESTS
answer = tensorize_ground_truth(examples, side)
assert isinstance(answer, (tuple, list)) and len(answer) == 2, "Two arrays are asked for: return classes, boxes."
found_classes, found_boxes = (np.asarray(array, dtype=float) for array in answer)
n = len(examples)
assert found_classes.shape == (n, 5), f"The classes have the shape {found_classes.shape}, not {(n, 5)}."
assert found_boxes.shape == (n, 4), f"The boxes have the shape {found_boxes.shape}, not {(n, 4)}."
assert np.array_equal(found_classes, wanted_classes), "Not every class is right: one 1 in each row, at labels2idx[class]."
off = float(np.abs(found_boxes - wanted_boxes).max())
assert off < 3.5, (
    f"With a side of {side}, a number of a box is off by {off:.1f} pixels. Are they (centre x, centre y, width, height)?"
)
points = 1 if off < 0.01 else 0.5
print("All is right." if points == 1 else "Nearly, for half: VOC counts pixels from 1 and means both ends of a box.")
points

# %% [markdown] id="truth-remark"
# What follows uses the course's own version, which does the same for all images at once in the frame of 224 pixels: a slip
# above costs you nothing below.

# %% id="truth"
classes, boxes = helpers.tensorize_ground_truth(annotations)

print("Classes and boxes shapes:", classes.shape, boxes.shape)

# %% id="truth-classes" tags=["demo"]
print("First 2 class labels:\n")
print(classes[0:2])
print("\n", idx2labels)

# %% id="truth-boxes" tags=["demo"]
print("First 2 boxes, (xc, yc, w, h) in the 224-pixel frame:\n")
print(boxes[0:2])

# %% [markdown] id="interpret-text"
# ### Interpreting the output of a model
#
# Interpreting goes the other way: from output tensors to a class, with its confidence, and a box in the pixels of the
# original image. **Write it**, for one prediction:
#
# - the class is the most probable one (`idx2labels` gives its name), and its probability is the confidence;
# - the box goes from `(xc, yc, w, h)` in a frame of `side` × `side` pixels to corners in the photograph of `img_size`,
#   `(width, height)`;
# - what sticks out of the photograph is cut off, and the result is a VOC box again: rounded, counted from 1.

# %% id="interpret_output" nbgrader={"grade_id": "interpret_output", "solution": true}
def interpret_output(cls, box, img_size, side):
    """A dictionary: "class" (a name), "confidence" (a number), "bbox" ([xmin, ymin, xmax, ymax], VOC, whole numbers)."""
    ### BEGIN SOLUTION
    winner = int(np.argmax(cls))
    middle, half = np.array(box[:2]), np.array(box[2:]) / 2
    scale = np.array(img_size) / side
    low = np.clip((middle - half) * scale, 0, img_size)
    high = np.clip((middle + half) * scale, 0, img_size)
    bbox = [round(low[0]) + 1, round(low[1]) + 1, round(high[0]), round(high[1])]
    return {"class": idx2labels[winner], "confidence": float(cls[winner]), "bbox": bbox}
    ### END SOLUTION

# %% id="test_interpret_output" nbgrader={"grade_id": "test_interpret_output", "grade": true, "points": 1}
# test_interpret_output (@POINTS:test_interpret_output@ point): a bus that fills its photograph, a dog that sticks out of it
outputs = [
    ([0.1, 0.2, 0.6, 0.1, 0.0], [112, 112, 224, 224], (500, 333), "bus", [1, 1, 500, 333]),
    ([0.8, 0.1, 0.1, 0.0, 0.0], [28, 56, 112, 56], (448, 224), "dog", [1, 29, 168, 84]),
]
side = 224
### BEGIN HIDDEN TESTS
chance = np.random.default_rng(20_074)
outputs = []
for n in range(12):
    shares = chance.dirichlet(np.ones(5))
    box = [*chance.uniform(20, 200, 2), *chance.uniform(30, 180, 2)]
    size = tuple(int(length) for length in chance.integers(150, 500, 2))
    meant = helpers.interpret_output(shares, box, size)
    outputs.append((shares, [number * 160 / 224 for number in box], size, meant["class"], meant["bbox"]))
side = 160
### END HIDDEN TESTS
for shares, box, size, kind, bbox in outputs:
    found = interpret_output(np.array(shares), np.array(box, dtype=float), size, side)
    assert isinstance(found, dict) and {"class", "confidence", "bbox"} <= set(found), (
        'A dictionary with the keys "class", "confidence" and "bbox" is asked for.'
    )
    asked = f"Probabilities {np.round(shares, 2)}, box {np.round(box)} in a frame of {side}, photograph {size}"
    assert found["class"] == kind, f"{asked}: the class is {kind}, not {found['class']}."
    assert abs(found["confidence"] - max(shares)) < 1e-4, f"{asked}: the confidence is the probability of the class."
    off = np.abs(np.asarray(found["bbox"], dtype=float) - bbox).max()
    assert off <= 1, f"{asked}: the box is {bbox}, not {found['bbox']}."
print("All is right.")

# %% [markdown] id="interpret-remark"
# There and back again: an annotation, its tensors, and what these mean. (Below, too, the course's own version is used.)

# %% id="interpret" tags=["demo"]
print(annotations[1])
print(helpers.interpret_output(classes[1], boxes[1], img_size=annotations[1]["size"]))

# %% [markdown] id="iou-text"
# ## Intersection over Union
#
# To assess how well a predicted box fits, we use the IoU: the area that it shares with the true box, divided by the
# area that the two cover together.
#
# $$\mathrm{IoU}(A, B) = \frac{|A \cap B|}{|A \cup B|}$$
#
# Three examples, with corner boxes. Two boxes that do not touch:

# %% id="iou-apart" tags=["demo"]
from helpers import iou

iou([47, 35, 147, 101], [1, 124, 496, 235])

# %% [markdown] id="iou-same-text"
# A box and itself:

# %% id="iou-same" tags=["demo"]
iou([47, 35, 147, 101], [47, 35, 147, 101])

# %% [markdown] id="iou-close-text"
# Two boxes that differ by one or two pixels:

# %% id="iou-close" tags=["demo"]
iou([47, 35, 147, 101], [49, 36, 145, 100])

# %% [markdown] id="iou-guess-text"
# **Predict, then look (1 of 3).** A box of 100 × 100 pixels, and the same one 20 pixels further to the right. Their IoU is
#
# - (a) 0.80, for a fifth of the box is lost,
# - (b) 0.67,
# - (c) 0.50?

# %% id="iou-guess" tags=["demo"]
my_guess = "?"  # "a", "b" or "c": before you run the next cell

# %% id="iou-look" tags=["demo"]
print(f"IoU {iou([0, 0, 100, 100], [20, 0, 120, 100]):.2f}, so (b); you said ({my_guess}). "
      "The fifth counts twice: 80 of 100 pixels are shared, but together the two boxes cover 120.")
helpers.iou_slider()

# %% [markdown] id="iou-remark"
# The IoU is severe: being off by one or two pixels on each side has already cost 7 %. An IoU above 0.5 is usually counted as
# "found". With two arrays of boxes, `iou` compares them row by row in one call.

# %% [markdown] id="bad-text"
# # A first model
#
# A two-headed model for single object classification and localization. The first head is a classifier, the second a
# regression of the four box coordinates. Both work on the *average* of the 49 positions.

# %% id="bad-model" tags=["demo"]
from helpers import BoxIoU, fix_seeds
from keras import Model
from keras.layers import Dense, GlobalAveragePooling2D, Input


def classif_and_loc_bad_model(num_classes):
    """A bad model, which averages the positions away."""
    model_input = Input(shape=(7, 7, 2048))
    pooled = GlobalAveragePooling2D()(model_input)  # one average for 49 positions

    # Two separate heads on the same features
    class_prediction_head = Dense(num_classes, activation="softmax", name="head_classes")(pooled)
    box_prediction_head = Dense(4, name="head_boxes")(pooled)

    model = Model(model_input, outputs=[class_prediction_head, box_prediction_head], name="resnet_loc")
    model.compile(
        optimizer="adam",
        loss=["categorical_crossentropy", "mse"],
        loss_weights=[1.0, 0.0001],
        metrics=[["accuracy"], [BoxIoU(name="iou")]],
    )
    return model


fix_seeds(SEED)
bad_model = classif_and_loc_bad_model(num_classes)
bad_model.summary()

# %% [markdown] id="scale-text"
# **Predict, then look (2 of 3).** An untrained model guesses among 5 classes, so its class loss is about $-\ln\frac15 = 1.6$.
# Its box loss is the mean of the squared errors, in pixels. Is that about
#
# - (a) 1,
# - (b) 100,
# - (c) 10 000 and more?

# %% id="scale-guess" tags=["demo"]
my_guess = "?"  # "a", "b" or "c": before you run the next cell

# %% id="scale-look" tags=["demo"]
print(f"Boxes of zeros have a mean squared error of {(boxes**2).mean():,.0f}, so (c); you said ({my_guess}). "
      f"In absolute values the mean is {np.abs(boxes).mean():.0f}. The optimizer sees one number, the weighted sum of "
      "both losses: with a weight of 1 it would not notice the classes.")

# %% [markdown] id="debug-text"
# ### Debugging on a few examples
#
# Let's debug the model: take only a few examples and try the model before training, with random weights.

# %% id="debug-data" tags=["demo"]
num = 64
few_inputs = reprs[0:num]
few_classes, few_boxes = classes[0:num], boxes[0:num]

print("Input batch shape:", few_inputs.shape)
print("Ground truth batch shapes:", few_classes.shape, few_boxes.shape)

# %% [markdown] id="balance-text"
# Are the classes roughly balanced? On Pascal VOC, class 2 ("bus") is rare.

# %% id="balance" tags=["demo"]
print({name: f"{share:.0%}" for name, share in zip(CLASSES, few_classes.mean(axis=0))})

# %% id="debug-shapes" tags=["demo"]
out = bad_model(few_inputs)
print("model output shapes:", out[0].shape, out[1].shape)

# %% [markdown] id="debug-fit-text"
# Now check whether the loss decreases, and whether we are able to overfit on these few examples. A model that cannot
# even learn 64 images by heart has a bug, or is the wrong model.

# %% id="debug-fit" tags=["demo"]
from helpers import watch

history = bad_model.fit(
    few_inputs, [few_classes, few_boxes], batch_size=10, epochs=10, verbose=0, callbacks=watch()
)

# %% [markdown] id="display-text"
# ## Displaying images and bounding boxes
#
# `plot_annotations` shows an image with a prediction and the ground truth on top. `display_prediction` takes a single
# index, computes what the model predicts for that image, interprets it as a class and a box, and plots it.

# %% id="display-trained" tags=["demo"]
from helpers import display_prediction

display_prediction(bad_model, 13, reprs, annotations, voc_root)

# %% [markdown] id="display-remark"
# The class should be right, but the localization has little chance to be. The model has even more trouble with images
# that were not part of our tiny debugging set:

# %% id="display-unseen" tags=["demo"]
display_prediction(bad_model, 152, reprs, annotations, voc_root)

# %% [markdown] id="accuracy-text"
# ## Computing accuracy
#
# For each example `(class_true, bbox_true)`, a prediction is **valid** if and only if
#
# - the most probable class is `class_true`, and
# - the IoU between the predicted box and `bbox_true` is above a threshold, usually 0.5.
#
# `compute_acc` reports the class accuracy, the mean IoU and the share of valid predictions (the *valid accuracy*), on
# one part of the images: `"train"`, `"validation"` or `"test"`. What the parts are, we say in a moment.

# %% id="accuracy" tags=["demo"]
from helpers import compute_acc

compute_acc(bad_model, reprs, annotations, part="train")
compute_acc(bad_model, reprs, annotations, part="validation");

# %% [markdown] id="chance"
# For a model that has seen 64 images, the class accuracy is not too bad. What is the chance level for this problem?
# The localization, measured by the IoU, is really bad.
#
# <details><summary>The chance level</summary>
#
# Guessing uniformly among 5 classes is right one time in 5. Always answering the most frequent class does better: on
# Pascal VOC 367 of our 1264 images show a car, which makes 29 %.
# </details>

# %% [markdown] id="split-text"
# # Training on the whole data set
#
# We split our data set into a training and a test set, the last tenth of the images, then train the model on the whole
# training set.
#
# We will want to watch the model on images that it does not learn from. It is tempting to use the test set for that,
# but then we would choose our model with its help, and it would not tell us the truth about new images any more. So
# `fit` sets a tenth of the *training* images aside, for validation. Everything below looks at these validation images,
# until you have decided. The test images are looked at once, at the end.

# %% id="split"
from helpers import split

parts = split(len(annotations))
inputs, out_cls, out_boxes = reprs[parts.train], classes[parts.train], boxes[parts.train]

print(
    f"training images: {len(inputs)}, of which validation images: {len(reprs[parts.validation])}; "
    f"test images: {len(reprs[parts.test])}"
)

# %% id="bad-fit" tags=["demo", "first-model"]
fix_seeds(SEED)
bad_model = classif_and_loc_bad_model(num_classes)

history = bad_model.fit(
    inputs, [out_cls, out_boxes], validation_split=0.1, batch_size=32, epochs=10, verbose=0, callbacks=watch()
)

# %% id="bad-accuracy" tags=["demo"]
from helpers import measure_localising, measure_positions

compute_acc(bad_model, reprs, annotations, part="train")
compute_acc(bad_model, reprs, annotations, part="validation")
measure_localising(bad_model, reprs, annotations, part="validation")
measure_positions(bad_model, reprs, annotations, part="validation");

# %% [markdown] id="bad-remark"
# The class accuracy is quite good. The **localization, measured by the IoU**, is slightly better than before but still
# **poor, even on the training set**: one box in the middle of every image would do better. Why? Two things come together.
#
# **The loss and the head.** The box loss is a mean of squared pixels, so its natural scale is $224^2 \approx 50\,000$.
# Multiplied by 0.0001 it starts at about 1 or 2, which sounds right, but watch how slowly a plain `Dense` layer walks from
# 0 to coordinates of 100 and more. Most of what is wrong with *this* model is here.
#
# **The average.** No training brings back *where* in the map something was: move the map and the average stays the same,
# so the model loses nothing, 0.000 in the last line. But that is not all that an average knows.
#
# **Predict, then look (3 of 3).** Forget loss and optimizer: take the best *linear formula* from the 2048 averages to the
# four numbers of the box. On images that it has not seen, its boxes will be
#
# - (a) as good as one box that is the same for every image: an average knows nothing about boxes,
# - (b) better than that: the sizes follow the objects, the centres do not, or much less,
# - (c) as good as boxes get: averaging loses nothing that matters.

# %% id="average-guess" tags=["demo"]
my_guess = "?"  # "a", "b" or "c": before you run the next cell

# %% id="average-look" tags=["demo"]
from helpers import best_box, plot_predicted_against_true

known = slice(0, parts.validation.start)  # the images that `fit` learns from
averages = reprs.mean(axis=(1, 2), dtype=np.float64)
averages -= averages[known].mean(axis=0)
alike = averages[known] @ averages[known].T
damped = alike + np.eye(len(alike)) * np.trace(alike) / len(alike)  # ridge regression: no number may grow large
formula = averages[known].T @ np.linalg.solve(damped, boxes[known] - boxes[known].mean(axis=0))


def from_the_average(maps):
    """Class by the model above, box by the formula."""
    pooled = maps.mean(axis=(1, 2), dtype=np.float64) - reprs[known].mean(axis=(0, 1, 2), dtype=np.float64)
    return [bad_model.predict(maps, verbose=0)[0], pooled @ formula + boxes[known].mean(axis=0)]


def same_box(maps):
    """The best box that is the same for every image."""
    return [bad_model.predict(maps, verbose=0)[0], np.tile(best_box(boxes[known]), (len(maps), 1))]


print(f"You said ({my_guess}).")
for name, model in {"one box": same_box, "bad model": bad_model, "formula": from_the_average}.items():
    print(f"\n{name}")
    compute_acc(model, reprs, annotations, part="validation")
    measure_localising(model, reprs, annotations, part="validation")
plot_predicted_against_true({"bad model": bad_model, "formula": from_the_average}, reprs, annotations)

# %% [markdown] id="average-remark"
# The answer is (b). On photographs such a formula reaches a mean IoU of 0.49 to 0.50, where one box for all has 0.45, a
# simple head that keeps the positions 0.50 and the one of our solution 0.54. A box head on the average that is trained
# with a sigmoid, the mean absolute error and a sensible loss weight does the same (0.48). Its *sizes* follow the objects
# as well as anybody's, with a correlation of 0.8: a large object fills the average. The height in the image follows in
# part: sky is above, road below. Left and right are lost (0.1).
#
# On the small rendered sample left and right are *not* quite lost. The network pads its input with zeros at the edges of the
# image, and so what it computes near an edge differs a little: position leaks into the channels, and so into the
# average ([Islam et al. 2020](https://arxiv.org/abs/2001.08248)). How much depends on the network.
#
# So an average is not blind; it is blind to *where in the map*, and that is what the tests below ask. The printed model is
# as bad as it is because of its loss and its head, more than because of the average.

# %% [markdown] id="cam-text"
# ### What was averaged away
#
# The class head of this model is one `Dense` layer on the average, and both are sums. So we may change their order: first
# the layer's weights at each of the 7 × 7 positions, then the average. What stands at the positions before it is averaged is
# called the **class activation map** ([Zhou et al. 2016](https://arxiv.org/abs/1512.04150)): how much each position speaks
# for a class. The *where* was there all the time. Beside it, how far the **box** moves when a position is hidden, that is,
# replaced by the average of all.

# %% id="cam" tags=["demo"]
from helpers import box_moved_by_hiding, class_activation_map, plot_maps

weights = np.asarray(bad_model.get_layer("head_classes").kernel)  # (2048, 5)
for index in range(parts.validation.start, parts.validation.start + 2):
    annotation = annotations[index]
    kind = labels2idx[annotation["class"]]
    predicted = bad_model.predict(reprs[index : index + 1], verbose=0)[1][0]
    plot_maps(
        image_path(voc_root, annotation),
        {f"what speaks for {annotation['class']}": class_activation_map(reprs[index], weights[:, kind])},
        truth=boxes[index],
        unit="class activation",
    )
    title = "the box moves when this is hidden"
    plot_maps(
        image_path(voc_root, annotation),
        {title: box_moved_by_hiding(bad_model, reprs[index])},
        truth=boxes[index],
        found={title: predicted},
        unit="pixels",
    )

# %% [markdown] id="exercise-text"
# # Build a better model
#
# ## Exercise
#
# Use any tool at your disposal to build a better model:
#
# - `Dropout`
# - `Conv2D`, `Dense`, with activation functions
# - `Flatten`, `GlobalAveragePooling2D`, `GlobalMaxPooling2D`, ...
#
# Notes:
#
# - Keep the positions. `Flatten` on the whole representation keeps them, but a `Dense` layer on its 100 352 values has
#   too many parameters: you have only about 1100 training images. How could you reduce the 2048 channels first?
# - Boxes live in a frame of 224 pixels, so their squared error is up to 224² times larger than that of numbers between
#   0 and 1. `loss_weights` puts the two losses on one scale.
# - Feel free to modify hyperparameters: learning rate, optimizer, `loss_weights`, `epochs`, `batch_size`.
# - The function must return a **compiled** model with two outputs, in this order: class probabilities of shape
#   `(batch, num_classes)`, boxes `(xc, yc, w, h)` in pixels of shape `(batch, 4)`.
#
# - What counts is not the mean IoU alone, but what your model has beyond a box that needs no localising; the section
#   *What has to be reached* below says how that is measured.
#
# Fill in the cell below. Change whatever you like in it.

# %% id="classif_and_loc" nbgrader={"grade_id": "classif_and_loc", "solution": true}
from helpers import BoxIoU
from keras import Model
from keras.layers import Conv2D, Dense, Dropout, Flatten, GlobalAveragePooling2D, Input, Rescaling
from keras.optimizers import Adam

epochs = 20  # how long the model below is trained, and on how many images at a time
batch_size = 32


def classif_and_loc(num_classes):
    """A compiled model: representation (7, 7, 2048) -> class probabilities and box (xc, yc, w, h) in pixels."""
    model_input = Input(shape=(7, 7, 2048))

    # Build a better model: something that works directly on `model_input`, then two separate heads
    # named "head_classes" and "head_boxes", then the compiled model.
    ### BEGIN SOLUTION
    # What is in the image: its position does not matter, so the average will do.
    what = Dropout(0.3)(GlobalAveragePooling2D()(model_input))
    class_head = Dense(num_classes, activation="softmax", name="head_classes")(what)

    # Where it is: keep the 7x7 positions, with few channels.
    where = Conv2D(64, 1, activation="relu")(model_input)
    where = Dropout(0.3)(Flatten()(where))
    where = Dropout(0.3)(Dense(128, activation="relu")(where))
    relative_box = Dense(4, activation="sigmoid")(where)
    box_head = Rescaling(224.0, name="head_boxes")(relative_box)

    model = Model(model_input, outputs=[class_head, box_head], name="better_resnet_loc")
    model.compile(
        optimizer=Adam(1e-3),
        loss=["categorical_crossentropy", "mae"],
        loss_weights=[1.0, 10 / 224],
        metrics=[["accuracy"], [BoxIoU(name="box_iou")]],
    )
    ### END SOLUTION
    return model

# %% [markdown] id="train-text"
# Train it. This cell is the same for everybody: what you want to change, change in your own cell above.

# %% id="train" nbgrader={"grade_id": "train", "locked": true}
from helpers import fix_seeds, watch

fix_seeds(SEED)
better_model = None  # so that the cells below can tell if the next line fails
better_model = classif_and_loc(num_classes)

history = better_model.fit(
    inputs,
    [out_cls, out_boxes],
    validation_split=0.1,
    batch_size=batch_size,
    epochs=epochs,
    verbose=0,
    callbacks=watch(),
)

# %% id="better-accuracy" tags=["demo"]
if better_model is not None:
    compute_acc(better_model, reprs, annotations, part="train")
    compute_acc(better_model, reprs, annotations, part="validation")
    measure_localising(better_model, reprs, annotations, part="validation")
    measure_positions(better_model, reprs, annotations, part="validation")

# %% [markdown] id="compare-text"
# Is it better? Compare the two models on one image, then on all validation images.

# %% id="compare-one" tags=["demo"]
unseen_index = parts.validation.start + 11
display_prediction(bad_model, unseen_index, reprs, annotations, voc_root)
if better_model is not None:
    display_prediction(better_model, unseen_index, reprs, annotations, voc_root)

# %% id="compare-histograms" tags=["demo"]
from helpers import per_example_iou, plot_iou_histograms, predict_dicts

unseen = annotations[parts.validation]
models = {"bad model": bad_model} | ({} if better_model is None else {"better model": better_model})
plot_iou_histograms(
    {
        name: per_example_iou(predict_dicts(model, reprs[parts.validation], unseen), unseen)
        for name, model in models.items()
    }
)

# %% [markdown] id="compare-grid-text"
# Averages hide a lot. Here are the best and the worst predictions of your model on the validation images: what do the
# failures have in common?

# %% id="compare-grid" tags=["demo"]
from helpers import plot_best_and_worst

if better_model is not None:
    plot_best_and_worst(better_model, reprs, annotations, voc_root)

# %% [markdown] id="scatter-text"
# Where do the boxes go? Each dot is one validation image; on the line the prediction is right. A model that answers one
# box for all draws a level line, one that plays safe a flat cloud.

# %% id="scatter" tags=["demo"]
plot_predicted_against_true(models, reprs, annotations)

# %% [markdown] id="looks-text"
# And where does the box head look? The same measure as above: how far does the box move when a position is hidden?

# %% id="looks" tags=["demo"]
from helpers import heads

for index in range(parts.validation.start, parts.validation.start + 2):
    plot_maps(
        image_path(voc_root, annotations[index]),
        {name: box_moved_by_hiding(model, reprs[index]) for name, model in models.items()},
        truth=boxes[index],
        found={name: heads(model.predict(reprs[index : index + 1], verbose=0))[1][0] for name, model in models.items()},
        unit="the box moves (pixels)",
    )

# %% [markdown] id="errors-text"
# ## What kind of error is it?
#
# "Better boxes" is no plan. Before you change your model, know what is wrong with it: sort its predictions by what
# would repair them ([Hoiem et al. 2012](https://doi.org/10.1007/978-3-642-33712-3_25) and
# [Bolya et al. 2020](https://arxiv.org/abs/2008.08115) do so for detectors). **Write a function** that gives each prediction
# one word, the first that fits:
#
# - `"right"`: the class is right and the IoU above 0.5;
# - `"class"`: the IoU is above 0.5, the class is wrong;
# - `"place"`: with the true centre and its own size the box would have an IoU above 0.5;
# - `"size"`: with its own centre and the true size it would;
# - `"both"`: neither alone would do.
#
# `iou` compares corner boxes row by row, `center_to_corners` makes them from centre boxes.

# %% id="kinds_of_error" nbgrader={"grade_id": "kinds_of_error", "solution": true}
from helpers import center_to_corners, iou


def kinds_of_error(right_class, predicted, true):
    """A list of N words, for N predictions.

    right_class (N,) says whether the class is right; predicted and true (N, 4) are centre boxes.
    """
    ### BEGIN SOLUTION
    def enough(candidates):
        return iou(center_to_corners(candidates), center_to_corners(true)) > 0.5

    moved = np.hstack([true[:, :2], predicted[:, 2:]])
    resized = np.hstack([predicted[:, :2], true[:, 2:]])
    found = enough(predicted)
    cases = [found & right_class, found, enough(moved), enough(resized)]
    return np.select(cases, ["right", "class", "place", "size"], "both").tolist()
    ### END SOLUTION

# %% id="test_kinds_of_error" nbgrader={"grade_id": "test_kinds_of_error", "grade": true, "points": 1}
# test_kinds_of_error (@POINTS:test_kinds_of_error@ point): five predictions for the same object, one of each kind
right_class = np.array([True, False, True, True, True])
true = np.array([[100.0, 100, 80, 80]] * 5)
predicted = true + [[4, 4, 0, 0], [4, 4, 0, 0], [60, 0, 0, 0], [0, 0, 80, 80], [90, 0, 100, 100]]
wanted = ["right", "class", "place", "size", "both"]
### BEGIN HIDDEN TESTS
luck = np.random.default_rng(20_075)
true = np.hstack([luck.uniform(60, 160, (40, 2)), luck.uniform(40, 120, (40, 2))])
predicted = np.hstack([true[:, :2] + luck.normal(0, 22, (40, 2)), true[:, 2:] * luck.uniform(0.5, 1.9, (40, 2))])
right_class = luck.random(40) < 0.7


def overlaps(cx, cy, w, h, other):
    across = min(cx + w / 2, other[0] + other[2] / 2) - max(cx - w / 2, other[0] - other[2] / 2)
    down = min(cy + h / 2, other[1] + other[3] / 2) - max(cy - h / 2, other[1] - other[3] / 2)
    shared = max(across, 0) * max(down, 0)
    return shared / (w * h + other[2] * other[3] - shared) > 0.5


wanted = [
    ("right" if named else "class") if overlaps(*box, truth)
    else "place" if overlaps(*truth[:2], *box[2:], truth)
    else "size" if overlaps(*box[:2], *truth[2:], truth)
    else "both"
    for named, box, truth in zip(right_class, predicted, true)
]
### END HIDDEN TESTS
words = kinds_of_error(right_class, predicted, true)
assert words is not None, "Nothing came back: is a return missing?"
words = [str(word) for word in words]
assert len(words) == len(wanted), f"{len(wanted)} predictions were asked about, {len(words)} words came back."
for word, meant, box, truth in zip(words, wanted, predicted, true):
    assert word == meant, f"Predicted {np.round(box)}, true {np.round(truth)}: the word is {meant!r}, not {word!r}."
print("All is right.")

# %% id="errors" tags=["demo"]
from helpers import plot_shares

KINDS = ("right", "class", "place", "size", "both")
counted = {}
for name, model in models.items():
    predictions = predict_dicts(model, reprs[parts.validation], unseen)
    same = np.array([one["class"] == other["class"] for one, other in zip(predictions, unseen)])
    predicted = np.asarray(heads(model.predict(reprs[parts.validation], verbose=0))[1], dtype=float)
    words = [str(word) for word in kinds_of_error(same, predicted, boxes[parts.validation])]
    counted[name] = [words.count(kind) for kind in KINDS]
plot_shares(KINDS, counted, "validation images")

# %% [markdown] id="errors-remark"
# Say it in one sentence: *most of what my model gets wrong is ..., so next I would try ...* Then do try it.

# %% [markdown] id="images-text"
# ## Would more images help?
#
# More data is the most expensive remedy, so know whether it would help before you ask for it. The cell trains your model
# with a tenth, with a third and with all of the training images. Do the two lines still approach each other at the right
# end? Then more images would help. Do they lie together, and low? Then the model is too simple, or not trained enough.

# %% id="images" tags=["demo"]
from helpers import plot_learning_curve

if better_model is not None:
    numbers = [parts.validation.start * percent // 100 for percent in (10, 30, 100)]
    curves = {measure: {"training": [], "validation": []} for measure in ("class accuracy", "mean IoU")}
    for number in numbers:
        fix_seeds(SEED)
        model = classif_and_loc(num_classes)
        model.fit(
            inputs[:number],
            [out_cls[:number], out_boxes[:number]],
            batch_size=batch_size,
            epochs=epochs,
            verbose=0,
        )
        for name, chosen in (("training", slice(0, number)), ("validation", parts.validation)):
            scores = helpers.accuracy_and_iou(predict_dicts(model, reprs[chosen], annotations[chosen]), annotations[chosen])
            curves["class accuracy"][name].append(scores.class_accuracy)
            curves["mean IoU"][name].append(scores.mean_iou)
    plot_learning_curve(numbers, curves)

# %% [markdown] id="measure-text"
# # What has to be reached
#
# How good is a mean IoU of 0.45? Objects are mostly large and in the middle, so **one box that is the same for every
# image** reaches about that, and a box for each class hardly more: no need to look where the object is. So three things
# are measured that such boxes cannot have:
#
# - the **IoU gained**: the mean IoU of your boxes, less that of the best box that needs no localising (one for all images
#   or one for each class, found on the training images; the better of them counts);
# - whether your boxes **follow the object**: the correlation of predicted and true centres (the mean of x and y), and that
#   of widths and heights. The average of each class is taken out first, so that knowing the class does not help. 1 is
#   exactly, 0 not at all, and the lower of the two counts;
# - whether your model **uses the positions**: we move the 7 × 7 map of an image by two positions (what leaves on one side
#   comes back on the other) and leave the true box where it is. A model that finds things by where they are in the map is
#   misled, and loses IoU. For one that has averaged the positions away nothing has changed: it loses exactly 0.
#
# How much gives how many points depends on the data and on the representations in use. It was measured, not guessed
# (`docs/calibration.md` in the course's repository): points start above what no model without localising reaches.

# %% id="thresholds" tags=["demo", "inline-json", "examiners"]
from helpers import accuracy_in_words, box_scale_hint, compute_acc, follows_in_words, gain_in_words, heads
from helpers import measure_localising, measure_positions, output_problems, partial_credit, positions_in_words
from helpers import thresholds_for

THRESHOLDS = json.loads(Path("thresholds.json").read_text(encoding="utf-8"))
minimum = thresholds_for(THRESHOLDS, representation_key(reprs_path))
NOT_DONE = "There is no better_model: complete classif_and_loc, then run the cell that trains it."
print("                     points from    all from")
print(f"IoU gained           {minimum['iou_gained_start']:11g} {minimum['iou_gained']:11g}")
print(f"following            {minimum['follows_start']:11g} {minimum['follows']:11g}")
print(f"positions            {minimum['positions_start']:11g} {minimum['positions']:11g}")
print(f"(and the class accuracy has to be at least {minimum['class_accuracy']:g})")

# %% [markdown] id="check-text"
# ## Where do you stand?
#
# Not there yet? That is what a first attempt is for. The next cell says what the tests would give if the test images were
# the validation images, and which single change is likely to help most. Make **one** change in `classif_and_loc`, train
# again, and come back: with two changes at once you would not know which of them it was.

# %% id="check" tags=["demo"]
helpers.check(
    better_model,
    reprs,
    annotations,
    minimum,
    points={
        "heads": "@POINTS:test_output_shapes@",
        "class accuracy": "@POINTS:test_class_accuracy@",
        "IoU gained": "@POINTS:test_iou@",
        "following": "@POINTS:test_follows@",
        "positions": "@POINTS:test_positions@",
    },
    to_do=NOT_DONE,
)

# %% [markdown] id="tests-text"
# # Tests
#
# You have decided? Then have the one look at the test images. A little less than on the validation images is to be
# expected: those have helped you to choose.

# %% id="test_output_shapes" nbgrader={"grade_id": "test_output_shapes", "grade": true, "points": 1}
# test_output_shapes (@POINTS:test_output_shapes@ point): two heads, in the right order, with the right shapes.
assert better_model is not None, NOT_DONE

problems = output_problems(better_model.predict(reprs[:8], verbose=0), n=8, num_classes=num_classes)
assert not problems, " ".join(problems)

print("Both heads have the right shapes: @POINTS:test_output_shapes@ point.")

# %% id="test_class_accuracy" nbgrader={"grade_id": "test_class_accuracy", "grade": true, "points": 1}
# test_class_accuracy (@POINTS:test_class_accuracy@ point): the share of test images whose object is named correctly.
assert better_model is not None, NOT_DONE

class_accuracy = compute_acc(better_model, reprs, annotations, part="test").class_accuracy
said = accuracy_in_words(class_accuracy, minimum["class_accuracy"])
assert class_accuracy >= minimum["class_accuracy"], said

print(said, "That gives @POINTS:test_class_accuracy@ point.")

# %% id="test_iou" nbgrader={"grade_id": "test_iou", "grade": true, "points": 2}
# test_iou (@POINTS:test_iou@ points): how much better than the best boxes that need no localising?
assert better_model is not None, NOT_DONE

gained = measure_localising(better_model, reprs, annotations, part="test", show=False).iou_gained
start, full = minimum["iou_gained_start"], minimum["iou_gained"]
points = partial_credit(gained, start, full, points=2)
print(gain_in_words(gained, start, full, points=2))
hint = box_scale_hint(heads(better_model.predict(reprs[:8], verbose=0))[1])
if hint:
    print(hint)
points

# %% id="test_follows" nbgrader={"grade_id": "test_follows", "grade": true, "points": 3}
# test_follows (@POINTS:test_follows@ points): do centre and size of the boxes follow the object?
assert better_model is not None, NOT_DONE

found = measure_localising(better_model, reprs, annotations, part="test", show=False)
start, full = minimum["follows_start"], minimum["follows"]
points = partial_credit(found.follows, start, full, points=3)
print(follows_in_words(found.centre, found.size, start, full, points=3))
points

# %% id="test_positions" nbgrader={"grade_id": "test_positions", "grade": true, "points": 8}
# test_positions (@POINTS:test_positions@ points): does the model use the positions of the representation?
assert better_model is not None, NOT_DONE

lost = measure_positions(better_model, reprs, annotations, part="test", show=False)
start, full = minimum["positions_start"], minimum["positions"]
points = partial_credit(lost, start, full, points=8)
print(positions_in_words(lost, start, full, points=8))
points

# %% id="hidden_tests" nbgrader={"grade_id": "hidden_tests", "grade": true, "points": 2}
# hidden_tests (@POINTS:hidden_tests@ points): what a sound model that localises does besides. Your model is asked when it
# is graded, and you will read in words what was missing. There is nothing to run here but this:
assert better_model is not None, NOT_DONE
### BEGIN HIDDEN TESTS
test_images = reprs[parts.test]
few, alone = (better_model.predict(test_images[:n], verbose=0) for n in (8, 1))
unusable = output_problems(few, n=8, num_classes=num_classes) or output_problems(alone, n=1, num_classes=num_classes)
assert not unusable, " ".join(unusable)
follows = measure_localising(better_model, reprs, annotations, part="test", show=False).follows
assert follows > minimum["follows_start"], "These points are for a model that localises: see test_follows."

points = 0
try:
    wrong = output_problems(classif_and_loc(3).predict(test_images[:2], verbose=0), n=2, num_classes=3)
except Exception as stopped:
    wrong = [str(stopped)]
if not wrong:
    points += 1
else:
    print("classif_and_loc(3) does not give a model of 3 classes: use the argument num_classes (1 point).")

near = zip(heads(alone), heads(few), (1e-3, 0.5))
if all(np.allclose(one, several[:1], atol=tolerance) for one, several, tolerance in near):
    points += 1
else:
    print("What is predicted for an image depends on the other images of the batch (1 point).")
points
### END HIDDEN TESTS

# %% [markdown] id="further"
# ## Going further
#
# Nothing below gives points. Each is an evening's work:
#
# - **Is the difference real?** Train two models with three seeds each (`fix_seeds(SEED + 1)`, ...). Is the gap between them
#   larger than the gap between seeds? The `validation` part holds few images: what is the standard error of a mean IoU?
# - **A loss that means the IoU.** The mean absolute error knows nothing of overlap. Try 1 - IoU
#   ([Yu et al. 2016](https://arxiv.org/abs/1608.01471)), and the generalized one, which has a gradient where boxes do not
#   touch ([Rezatofighi et al. 2019](https://arxiv.org/abs/1902.09630)).
# - **No Dense layer for the place.** A 1 × 1 convolution gives one map; its softmax over the 49 positions is a set of weights,
#   and the weighted mean of the positions' coordinates is a centre (a *soft argmax*).
# - **Mirrored images.** Representations of mirrored photographs double the training images; what happens to their boxes?
# - **More than one object.** The next notebook, *Many Objects*, makes each of the 49 positions a detector of its own, as
#   YOLO does ([Redmon et al. 2016](https://arxiv.org/abs/1506.02640)) and SSD on several grids
#   ([Liu et al. 2016](https://arxiv.org/abs/1512.02325)). DETR ([Carion et al. 2020](https://arxiv.org/abs/2005.12872)) has no
#   grid: it predicts a set.
#
# The data are those of Pascal VOC 2007 ([Everingham et al. 2010](https://doi.org/10.1007/s11263-009-0275-4)), the
# representations those of ResNet ([He et al. 2016](https://arxiv.org/abs/1512.03385)).

# %% [markdown] id="handing-in"
# ## Handing in
#
# Save the notebook, then let the next cell have a last look at it. It finds what is easily overlooked: a change that
# was not saved, a cell that was never run, a picture that makes the file too large. Then download the notebook
# (**File > Download > Download .ipynb** on Colab) and hand it in. Only your own cells count: whatever else happened to
# the notebook is repaired when it is graded.

# %% id="ready" tags=["demo"]
helpers.ready_to_submit(["@COURSE_CELLS@"])
