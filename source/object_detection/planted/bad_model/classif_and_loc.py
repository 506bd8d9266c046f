from helpers import BoxIoU
from keras import Model
from keras.layers import Conv2D, Dense, Dropout, Flatten, GlobalAveragePooling2D, Input, Rescaling
from keras.optimizers import Adam

epochs = 10
batch_size = 32


def classif_and_loc(num_classes):
    model_input = Input(shape=(7, 7, 2048))
    x = GlobalAveragePooling2D()(model_input)
    head_classes = Dense(num_classes, activation="softmax", name="head_classes")(x)
    head_boxes = Dense(4, name="head_boxes")(x)
    model = Model(model_input, outputs=[head_classes, head_boxes])
    model.compile(optimizer="adam", loss=["categorical_crossentropy", "mse"], loss_weights=[1.0, 0.0001])
    return model
