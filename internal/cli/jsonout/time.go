package jsonout

import "time"

// OptionalTime returns nil for the zero time, which JSON then omits.
func OptionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
