from helpers import BoxIoU
from keras import Model
from keras.layers import Conv2D, Dense, Dropout, Flatten, GlobalAveragePooling2D, Input, Rescaling
from keras.optimizers import Adam

epochs = 20
batch_size = 32


def classif_and_loc(num_classes):
    model_input = Input(shape=(7, 7, 2048))
    x = Conv2D(64, 1, activation="relu")(model_input)
    x = Dropout(0.3)(Flatten()(x))
    x = Dropout(0.3)(Dense(128, activation="relu")(x))
    head_classes = Dense(num_classes, activation="softmax", name="head_classes")(x)
    head_boxes = Rescaling(224.0, name="head_boxes")(Dense(4, activation="sigmoid")(x))
    model = Model(model_input, outputs=[head_classes, head_boxes])
    model.compile(
        optimizer=Adam(1e-3),
        loss=["categorical_crossentropy", "mae"],
        loss_weights=[1.0, 0.01 / 224],
    )
    return model
