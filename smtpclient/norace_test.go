//go:build !race

package smtpclient_test

// stride is how far the octets are from each other after which a connection is cut:
// every octet. `make unit` runs the tests of this package so, and once more under the race
// detector.
const stride = 1
