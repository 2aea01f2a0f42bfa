//go:build race

package smtpclient_test

// stride is the distance in octets between the cuts of a connection. Under the race detector a
// dialogue takes ten times as long, so it is not 1; it is also no divisor of the usual line
// lengths.
const stride = 7
