package secret

import (
	"errors"
	"fmt"
	"os/exec"
)

// System returns the Keychain of macOS, accessed with the program security.
//
// QUIRK: security reads commands of at most 4096 octets, in which the secret is base64; longer
// secrets are split into entries of 2000 octets.
func System() Keyring { return chunkedKeyring{Keyring: goKeyring{}, most: 2000} }

// systemError interprets the exit status of security: the low octet of an OSStatus.
func systemError(err error) error {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return err
	}
	switch exit.ExitCode() {
	case 36, // errSecInteractionNotAllowed: locked, and no window to ask in
		51,  // errSecAuthFailed: wrong password in the dialog
		128: // errSecUserCanceled
		return fmt.Errorf("%w: security ended with %w", ErrLocked, err)
	case 37, 50, 53: // errSecNoDefaultKeychain, errSecNoSuchKeychain, errSecNotAvailable
		return fmt.Errorf("%w: security ended with %w", ErrNoKeyring, err)
	}
	return fmt.Errorf("security ended with %w", err)
}
