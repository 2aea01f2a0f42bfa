package console

import (
	"os/exec"
	"runtime"
)

// Browser opens pages on this machine; nil where there is no screen to show them.
func Browser(getenv func(string) string) func(url string) error {
	switch runtime.GOOS {
	case "windows":
		return opener("rundll32", "url.dll,FileProtocolHandler")
	case "darwin":
		return opener("open")
	}
	if getenv("DISPLAY") == "" && getenv("WAYLAND_DISPLAY") == "" {
		return nil
	}
	if _, err := exec.LookPath("xdg-open"); err != nil {
		return nil
	}
	return opener("xdg-open")
}

// opener starts a program that shows a page. What it prints is for nobody, and it
// may live as long as the browser.
func opener(name string, args ...string) func(url string) error {
	return func(url string) error {
		cmd := exec.Command(name, append(args, url)...)
		if err := cmd.Start(); err != nil {
			return err
		}
		go func() { _ = cmd.Wait() }() // so that no zombie stays; it has nothing to say
		return nil
	}
}
