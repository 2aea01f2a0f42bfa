//go:build !unix

package dropfolder

import (
	"context"
	"errors"
)

// Reader does nothing: files have no numeric owner here.
type Reader struct{}

// Open returns errors.ErrUnsupported.
func Open(Options) (*Reader, error) { return nil, errors.ErrUnsupported }

// Close does nothing.
func (*Reader) Close() error { return nil }

// Retry does nothing.
func (*Reader) Retry() {}

// Watch returns errors.ErrUnsupported.
func (*Reader) Watch(context.Context) error { return errors.ErrUnsupported }

// Scan returns errors.ErrUnsupported.
func (*Reader) Scan(context.Context) (Found, error) { return Found{}, errors.ErrUnsupported }
