def corners_to_center(boxes):
    low, high = boxes[:, :2], boxes[:, 2:]
    return np.concatenate([(low + high) // 2, high - low], axis=1)
