"""Hostile models: solution cells of the labs on detection, what they try, and what they honestly deserve."""

from collections.abc import Mapping
from dataclasses import dataclass

SHAPES_ALONE = {
    **{"test_tensorize_ground_truth": 0, "test_interpret_output": 0, "test_kinds_of_error": 0},
    **{"test_output_shapes": 1, "test_class_accuracy": 0, "test_iou": 0, "test_follows": 0},
    **{"test_positions": 0, "hidden_tests": 0},
}
"""Two heads of the right shapes: that much is true of them."""

FUNCTIONS_ALONE = {
    **{"test_assign_to_cells": 3, "test_grid_loss": 3, "test_decode_cells": 2, "test_suppress_overlaps": 2},
    **{"test_match_objects": 2, "test_precision_and_recall": 1, "test_average_precision": 2},
    **{"test_mean_average_precision": 1, "test_detector": 0, "test_several": 0},
}
"""Handed in with the master's functions, without which no detector is trained or asked."""


@dataclass(frozen=True)
class ModelAttack:
    """A hostile solution cell."""

    name: str
    tries: str
    source: str
    points: Mapping[str, float]


MODEL_ATTACKS = [
    ModelAttack(
        "learns_the_test_labels",
        "Looks the test images up among all images, and answers with their annotations.",
        """
epochs, batch_size = 1, 32

class LookedUp:
    def fit(self, *args, **kwargs):
        self.rows = {row.tobytes(): index for index, row in enumerate(reprs)}
    def predict(self, inputs, verbose=0):
        found = [self.rows[row.tobytes()] for row in np.asarray(inputs, dtype=reprs.dtype)]
        return [classes[found], boxes[found]]

def classif_and_loc(num_classes):
    return LookedUp()
""",
        SHAPES_ALONE,
    ),
    ModelAttack(
        "patched_keras",
        "Patches Keras to predict the same for everything, and the course's own measures to be content with it.",
        """
import keras, helpers, helpers.metrics, helpers.checks, helpers.localising
epochs, batch_size = 1, 32
good = helpers.metrics.Scores(1.0, 1.0, 1.0)
helpers.compute_acc = helpers.metrics.compute_acc = lambda *a, **k: good
helpers.partial_credit = helpers.checks.partial_credit = lambda *a, points=8, **k: points
helpers.thresholds_for = lambda *a: dict(
    class_accuracy=0.0, iou_gained_start=-2.0, iou_gained=-1.0, follows_start=-2.0, follows=-1.0,
    positions_start=-2.0, positions=-1.0,
)
helpers.measure_positions = helpers.localising.measure_positions = lambda *a, **k: 1.0

def predict(self, inputs, **kwargs):
    return [np.eye(5)[np.zeros(len(inputs), int)], np.full((len(inputs), 4), 112.0)]

keras.Model.predict = predict
keras.Model.fit = lambda *a, **k: None

def classif_and_loc(num_classes):
    model_input = keras.Input((7, 7, 2048))
    return keras.Model(model_input, model_input)
""",
        SHAPES_ALONE,
    ),
    ModelAttack(
        "lying_model",
        "Is no model at all: its predictions are equal to everything.",
        """
epochs, batch_size = 1, 32

class Yes(np.ndarray):
    def __eq__(self, other): return np.ones(self.shape, bool)
    def argmax(self, *args, **kwargs): return Yes((len(self),))

class Liar:
    def fit(self, *args, **kwargs): pass
    def predict(self, inputs, verbose=0):
        one_hot = np.eye(5)[np.zeros(len(inputs), int)]
        return [one_hot.view(Yes), np.full((len(inputs), 4), 112.0).view(Yes)]

def classif_and_loc(num_classes):
    return Liar()
""",
        SHAPES_ALONE,
    ),
]

GRID_ATTACKS = [
    ModelAttack(
        "equal_to_everything",
        "Is no model at all: its outputs are equal to, larger and smaller than everything.",
        """
epochs, batch_size = 1, 32

class Yes(np.ndarray):
    def __eq__(self, other): return np.ones(self.shape, bool)
    __lt__ = __le__ = __gt__ = __ge__ = __eq__

class Liar:
    history = {}
    def fit(self, *args, **kwargs): return self
    def predict(self, inputs, verbose=0):
        return np.zeros((len(inputs), 7, 7, 10)).view(Yes)

def build_detector(num_classes):
    return Liar()
""",
        FUNCTIONS_ALONE,
    ),
    ModelAttack(
        "claims_every_place",
        "Answers each image with large boxes of all classes, one of which will be right.",
        """
epochs, batch_size = 1, 32

class Everything:
    history = {}
    def fit(self, *args, **kwargs): return self
    def predict(self, inputs, verbose=0):
        said = np.full((len(inputs), 7, 7, 10), 0.5)
        said[..., 0] = 1
        said[..., 5:] = np.eye(5)[np.arange(49).reshape(7, 7) % 5]
        return said

def build_detector(num_classes):
    return Everything()
""",
        FUNCTIONS_ALONE,
    ),
    ModelAttack(
        "prints_the_truth",
        "Waits for the test to run beside it: looks for its true objects in every frame and module that it can see.",
        """
epochs, batch_size = 1, 32

class Looker:
    history = {}
    def fit(self, *args, **kwargs): return self
    def predict(self, inputs, verbose=0):
        import gc, sys
        spaces = [module.__dict__ for module in list(sys.modules.values()) if module] + [globals()]
        spaces += [thing for thing in gc.get_objects() if isinstance(thing, dict)]
        found = (space["truth_of_test"] for space in spaces if len(space.get("truth_of_test", ())) == len(inputs))
        true = next(found, None)
        said = np.zeros((len(inputs), 7, 7, 10))
        for target, (labels, corners) in zip(said, true or []):
            target[:] = assign_to_cells(labels, helpers.corners_to_center(corners))
        return said

def build_detector(num_classes):
    return Looker()
""",
        FUNCTIONS_ALONE,
    ),
]
"""Hostile detectors of the lab on many objects; none of them finds anything."""
