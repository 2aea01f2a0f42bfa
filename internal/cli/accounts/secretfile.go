package accounts

import (
	"os"
	"path/filepath"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/wholefile"
)

// Absolute is a path from the root, where that can be known.
func Absolute(path string) string {
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}

// OwnSecretFile is where yan login writes the secret of an account that is to have
// a file of its own.
func OwnSecretFile(f *account.File, name string) string {
	return Absolute(filepath.Join(filepath.Dir(f.Path()), name+".secret"))
}

// WriteSecretFile writes a secret alone on its line, for its owner alone.
func WriteSecretFile(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return wholefile.Write(path, []byte(text+"\n"), 0o600)
}

// NewFileFlag begins a new encrypted file where the old one can't be used.
const NewFileFlag = "new-encrypted-file"
