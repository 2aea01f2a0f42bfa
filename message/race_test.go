//go:build race

package message

// underRace says that the race detector is built in. It allocates on its own.
const underRace = true
