def area(box):
    return max(box[2] - box[0] + 1, 0) * max(box[3] - box[1] + 1, 0)
