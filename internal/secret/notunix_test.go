//go:build !unix

package secret_test

const onUnix = false
