// Package ptytest is a pseudo-terminal for tests, with somebody who types what he
// is told and reads what is shown. Only Unix has it.
package ptytest
