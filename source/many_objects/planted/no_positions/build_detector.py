from keras import Model
from keras.layers import Concatenate, Conv2D, Dense, Dropout, GlobalAveragePooling2D, Input, Reshape
from keras.optimizers import Adam

epochs = 30  # how long the model below is trained, and on how many images at a time
batch_size = 32


def build_detector(num_classes):
    """A compiled model: representation (7, 7, 2048) -> objectness, box and classes of the cells, (7, 7, 10)."""
    model_input = Input(shape=(7, 7, 2048))
    x = Dropout(0.3)(Dense(128, activation="relu")(GlobalAveragePooling2D()(model_input)))
    x = Reshape((7, 7, 32))(Dense(7 * 7 * 32, activation="relu")(x))
    boxes = Conv2D(5, 1, activation="sigmoid")(x)
    classes = Conv2D(num_classes, 1, activation="softmax")(x)
    model = Model(model_input, Concatenate()([boxes, classes]), name="grid_detector")
    model.compile(optimizer=Adam(2e-3), loss=grid_loss)
    return model
