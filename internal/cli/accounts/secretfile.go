package accounts

import (
	"os"
	"path/filepath"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/files/atomicfile"
)

// AbsolutePath returns an absolute path if possible, or else path.
func AbsolutePath(path string) string {
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}

// OwnSecretFile returns the path of the file that yan login writes for an account with its own
// secret file.
func OwnSecretFile(f *account.File, name string) string {
	return AbsolutePath(filepath.Join(filepath.Dir(f.Path()), name+".secret"))
}

// WriteSecretFile writes a secret as a line, readable by the owner only.
func WriteSecretFile(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return atomicfile.Write(path, []byte(text+"\n"), 0o600)
}

// NewFileFlag is the flag that starts a new encrypted file if the old one can't be used.
const NewFileFlag = "new-encrypted-file"
