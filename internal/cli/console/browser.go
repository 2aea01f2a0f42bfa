package console

import (
	"os"
	"os/exec"
	"runtime"
)

// FindBrowser returns a function that shows a page on this machine; nil if
// there is no screen.
func FindBrowser() func(url string) error {
	switch runtime.GOOS {
	case "windows":
		return openWith("rundll32", "url.dll,FileProtocolHandler")
	case "darwin":
		return openWith("open")
	}
	if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return nil
	}
	if _, err := exec.LookPath("xdg-open"); err != nil {
		return nil
	}
	return openWith("xdg-open")
}

// openWith starts a program that shows a page. Its output is discarded, and it may live
// as long as the browser.
func openWith(name string, args ...string) func(url string) error {
	return func(url string) error {
		cmd := exec.Command(name, append(args, url)...)
		if err := cmd.Start(); err != nil {
			return err
		}
		go func() { _ = cmd.Wait() }() // leaves no zombie; the exit status is not useful
		return nil
	}
}
