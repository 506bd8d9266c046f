def iou_matrix(a, b):
    return [[iou(one, other) for other in b] for one in a]
