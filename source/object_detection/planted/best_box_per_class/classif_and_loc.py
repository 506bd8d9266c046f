from helpers import BoxIoU
from keras import Model
from keras.layers import Conv2D, Dense, Dropout, Flatten, GlobalAveragePooling2D, Input, Rescaling
from keras.optimizers import Adam

from helpers import best_box
from keras import ops
from keras.layers import Lambda

epochs = 20
batch_size = 32


def classif_and_loc(num_classes):
    model_input = Input(shape=(7, 7, 2048))
    pooled = GlobalAveragePooling2D()(model_input)
    head_classes = Dense(num_classes, activation="softmax", name="head_classes")(Dropout(0.3)(pooled))
    kinds = out_cls.argmax(axis=1)
    of_class = np.array([best_box(out_boxes[kinds == kind]) for kind in range(num_classes)], dtype="float32")
    head_boxes = Lambda(
        lambda chances: ops.take(ops.convert_to_tensor(of_class), ops.argmax(chances, axis=-1), axis=0),
        output_shape=(4,),
        name="head_boxes",
    )(head_classes)
    model = Model(model_input, outputs=[head_classes, head_boxes])
    model.compile(optimizer=Adam(1e-3), loss=["categorical_crossentropy", "mae"], loss_weights=[1.0, 0.0])
    return model
