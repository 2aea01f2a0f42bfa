//go:build race

package outboxtest

// Race says that the race detector is on.
const Race = true
