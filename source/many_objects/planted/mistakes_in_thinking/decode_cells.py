def decode_cells(prediction, threshold=0.05):
    """Labels (n,), scores (n,) from `threshold` up, and corner boxes (n, 4) that a prediction (7, 7, 10) holds."""
    rows, columns = np.mgrid[:GRID, :GRID]
    scores = prediction[..., 0]
    labels = prediction[..., 5:].argmax(axis=-1)
    middle = CELL * (np.stack([columns, rows], axis=-1) + prediction[..., 1:3])
    half = 224 * prediction[..., 3:5] / 2
    boxes = np.clip(np.concatenate([middle - half, middle + half], axis=-1), 0, 224)
    sure = scores >= threshold
    return labels[sure], scores[sure], boxes[sure]
