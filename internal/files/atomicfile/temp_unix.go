//go:build unix

package atomicfile

import (
	"errors"
	"os"
)

func createTemp(folder string) (*os.File, error) {
	if f, err := createUnnamed(folder); err == nil {
		return f, nil
	}
	// Some file systems can't create files without a name. The file is still empty between these
	// two calls.
	f, err := os.CreateTemp(folder, ".yan-*") // 0600
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
