package secret

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows"
)

// System returns the Credential Manager of Windows.
//
// QUIRK: an entry holds at most 2560 octets (CRED_MAX_CREDENTIAL_BLOB_SIZE), and Microsoft's own
// tokens are longer; longer secrets are split.
func System() Keyring { return chunkedKeyring{Keyring: goKeyring{}, most: 2400} }

func systemError(err error) error {
	// A service or a network logon session has no credentials.
	if errors.Is(err, windows.ERROR_NO_SUCH_LOGON_SESSION) {
		return fmt.Errorf("%w: %w", ErrNoKeyring, err)
	}
	return err
}
