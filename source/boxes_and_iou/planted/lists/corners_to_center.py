def corners_to_center(boxes):
    return [[(a + c) / 2, (b + d) / 2, c - a, d - b] for a, b, c, d in boxes]
