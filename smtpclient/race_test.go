//go:build race

package smtpclient_test

// stride is how far the octets are from each other after which a connection is cut. Under
// the race detector, where a dialogue takes ten times as long, it is not every octet; it is
// none that the length of a usual line is a multiple of.
const stride = 7
