def area(box):
    print(max(box[2] - box[0], 0) * max(box[3] - box[1], 0))
