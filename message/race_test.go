//go:build race

package message

// underRace: the race detector is built in. It allocates, too.
const underRace = true
