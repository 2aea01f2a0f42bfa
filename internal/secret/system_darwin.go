package secret

import (
	"errors"
	"fmt"
	"os/exec"
)

// System is the Keychain of macOS, by its program security.
//
// QUIRK: security reads commands of 4096 octets, in which the secret is base64;
// longer ones are cut into entries of 2000.
func System() Keyring { return pieces{Keyring: library{}, most: 2000} }

// systemError reads the exit status of security: the low octet of an OSStatus.
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
