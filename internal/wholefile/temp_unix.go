//go:build unix

package wholefile

import (
	"errors"
	"os"
)

func temp(folder string) (*os.File, error) {
	if f, err := unnamed(folder); err == nil {
		return f, nil
	}
	// Not every file system makes files without a name. Between these two lines is
	// nothing in it yet.
	f, err := os.CreateTemp(folder, ".yan-*") // 0600
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
