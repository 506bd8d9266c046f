def center_to_corners(boxes):
    cy, cx, h, w = boxes.T
    return np.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], axis=1)
