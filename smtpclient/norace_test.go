//go:build !race

package smtpclient_test

// stride is the distance in octets between the cuts of a connection: every octet. `make unit`
// runs the tests of this package like this, and once more under the race detector.
const stride = 1
