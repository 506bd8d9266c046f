def assign_to_cells(labels, boxes):
    """Target (7, 7, 10) of an image: labels (n,) and centre boxes (n, 4) in the 224-pixel frame, put into cells."""
    target = np.zeros((GRID, GRID, 5 + len(CLASSES)), dtype=np.float32)
    smallest_first = np.argsort(boxes[:, 2] * boxes[:, 3], kind="stable") if len(boxes) else []
    for index in smallest_first:
        cx, cy, w, h = boxes[index]
        column, row = (int(center // CELL) for center in (cx, cy))
        target[row, column] = 0
        target[row, column, :5] = 1, cx / CELL - column, cy / CELL - row, w / 224, h / 224
        target[row, column, 5 + labels[index]] = 1
    return target
