"""Find faces, align them, judge them: a photo goes in, boxes, landmarks and crops come out."""
