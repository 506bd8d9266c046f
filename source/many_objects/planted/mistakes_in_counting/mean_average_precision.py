def mean_average_precision(found, truth):
    """mAP at an IoU of 0.5, for images in the same order.

    found: for each image (labels (n,), scores (n,), corner boxes (n, 4)).
    truth: for each image (labels (m,), corner boxes (m, 4)).
    """
    values = []
    for label in range(5):
        right, sure, total = [np.zeros(0, bool)], [np.zeros(0)], 0
        for (labels, scores, boxes), (true_labels, true_boxes_here) in zip(found, truth):
            mine, wanted = labels == label, true_boxes_here[true_labels == label]
            right.append(match_objects(boxes[mine], scores[mine], wanted))
            sure.append(scores[mine])
            total += len(wanted)
        values.append(average_precision(*precision_and_recall(np.concatenate(right), np.concatenate(sure), max(total, 1))))
    return float(np.mean(values))
