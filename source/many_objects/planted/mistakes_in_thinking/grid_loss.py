from keras import ops


def grid_loss(y_true, y_pred):
    """Loss (N,) of predictions (N, 7, 7, 10) against targets (N, 7, 7, 10), summed over the cells of each image."""
    there, said = y_true[..., 0], y_pred[..., 0]
    place = ops.sum(ops.square(y_true[..., 1:3] - y_pred[..., 1:3]), axis=-1)
    size = ops.sum(ops.square(ops.sqrt(y_true[..., 3:5]) - ops.sqrt(y_pred[..., 3:5])), axis=-1)
    kind = ops.sum(ops.square(y_true[..., 5:] - y_pred[..., 5:]), axis=-1)
    with_object = 5 * (place + size) + kind + there * ops.square(1 - said)
    without = 0.5 * (1 - there) * ops.square(said)
    return ops.sum(with_object + without, axis=(1, 2))
