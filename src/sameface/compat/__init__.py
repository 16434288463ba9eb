"""Other libraries' habits: scikit-learn estimators, and the functions of face_recognition.

Nothing is loaded here; import `sameface.compat.estimators` (extra ``evaluate``) or `sameface.compat.face_recognition`.
"""
