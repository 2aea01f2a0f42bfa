//go:build !unix

package sendlog

const noFollow = 0
