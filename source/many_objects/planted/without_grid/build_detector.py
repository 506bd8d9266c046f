from keras import Model, losses, ops
from keras.layers import Conv2D, Dense, Dropout, Flatten, GlobalAveragePooling2D, Input
from keras.optimizers import Adam

epochs = 20  # how long the model below is trained, and on how many images at a time
batch_size = 32


def in_the_grid(box, classes):
    """One box (N, 4), as fractions of the frame, and its classes (N, 5), written into the cell that holds the centre."""
    place = box[:, :2] * GRID
    cell = ops.clip(ops.floor(place), 0, GRID - 1)
    column, row = (ops.one_hot(ops.cast(cell[:, axis], "int32"), GRID) for axis in (0, 1))
    says = ops.concatenate([ops.ones_like(box[:, :1]), place - cell, box[:, 2:], classes], axis=1)
    return row[:, :, None, None] * column[:, None, :, None] * says[:, None, None, :]


def largest(grid):
    """Box (N, 4), as fractions of the frame, and classes (N, 5) of the largest object in a grid (N, 7, 7, 10)."""
    cells = ops.reshape(grid, (-1, GRID * GRID, 10))
    chosen = ops.argmax(cells[..., 0] * cells[..., 3] * cells[..., 4], axis=1)
    says = ops.sum(cells * ops.one_hot(chosen, GRID * GRID)[..., None], axis=1)
    cell = ops.cast(ops.stack([chosen % GRID, chosen // GRID], axis=1), "float32")
    return ops.concatenate([(cell + says[:, 1:3]) / GRID, says[:, 3:5]], axis=1), says[:, 5:]


def loss_of_one(true, said):
    """The loss of the lab on one object: one class, one box."""
    (true_box, true_class), (box, classes) = largest(true), largest(said)
    return losses.categorical_crossentropy(true_class, classes) + 10 * ops.mean(ops.abs(true_box - box), axis=1)


def build_detector(num_classes):
    """A compiled model: representation (7, 7, 2048) -> objectness, box and classes of the cells, (7, 7, 10)."""
    model_input = Input(shape=(7, 7, 2048))
    classes = Dropout(0.3)(GlobalAveragePooling2D()(model_input))
    classes = Dense(num_classes, activation="softmax")(classes)
    box = Dropout(0.3)(Flatten()(Conv2D(64, 1, activation="relu")(model_input)))
    box = Dropout(0.3)(Dense(128, activation="relu")(box))
    box = Dense(4, activation="sigmoid")(box)
    model = Model(model_input, in_the_grid(box, classes), name="without_grid")
    model.compile(optimizer=Adam(1e-3), loss=loss_of_one)
    return model
