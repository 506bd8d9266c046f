from helpers import BoxIoU
from keras import Model
from keras.layers import Conv2D, Dense, Dropout, Flatten, GlobalAveragePooling2D, Input, Rescaling
from keras.optimizers import Adam

epochs = 30
batch_size = 32


def classif_and_loc(num_classes):
    model_input = Input(shape=(7, 7, 2048))
    x = GlobalAveragePooling2D()(model_input)
    x = Dropout(0.2)(x)
    head_classes = Dense(num_classes, activation="softmax", name="head_classes")(x)

    y = Conv2D(4, (1, 1), activation="relu", name="hidden_conv")(model_input)
    y = Flatten()(y)
    y = Dropout(0.2)(y)
    head_boxes = Dense(4, name="head_boxes")(y)

    model = Model(model_input, outputs=[head_classes, head_boxes], name="resnet_loc")
    model.compile(
        optimizer="adam",
        loss=["categorical_crossentropy", "mse"],
        loss_weights=[1.0, 1 / (224 * 224)],
    )
    return model
