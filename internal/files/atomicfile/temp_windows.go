package atomicfile

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// createTemp creates a file that the system deletes when its last handle is closed, also when the process
// ends.
func createTemp(folder string) (*os.File, error) {
	for {
		name := filepath.Join(folder, ".yan-"+rand.Text())
		utf16, err := windows.UTF16PtrFromString(name)
		if err != nil {
			return nil, err
		}
		handle, err := windows.CreateFile(utf16, windows.GENERIC_READ|windows.GENERIC_WRITE, windows.FILE_SHARE_DELETE, nil,
			windows.CREATE_NEW, windows.FILE_ATTRIBUTE_TEMPORARY|windows.FILE_FLAG_DELETE_ON_CLOSE, 0)
		switch {
		case err == nil:
			return os.NewFile(uintptr(handle), name), nil
		case !errors.Is(err, fs.ErrExist):
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
	}
}
