//! Owns what makes sure that an enrollment did not move since it was looked at.

/// Each row is still as it was seen: the same step, the same due time, not ended.
macro_rules! still {
    () => {
        "enrollments.bucket = j.id >> 48 AND enrollments.enrollment_id = j.id \
         AND enrollments.step = j.step AND enrollments.due = j.due AND enrollments.status < 10"
    };
}

pub(super) use still;
