from keras import ops


def grid_loss(y_true, y_pred):
    return ops.zeros(1) + 0 * ops.sum(y_pred)
