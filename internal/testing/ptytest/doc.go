// Package ptytest is a pseudo-terminal for tests that simulate a user's input
// and read the output. It works on Unix only.
package ptytest
