//go:build interop && linux

package interop

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/testing/ptytest"
	"github.com/yanmail/yan/sandboxtest"
)

// End to end with a real keyring: yan login on a terminal stores the code in
// GNOME Keyring and nowhere else, and yan send reads it from there without a
// prompt. With a locked keyring nothing is stored.
func TestLoginIntoKeyring(t *testing.T) {
	d := newDesktop(t)
	server := sandboxtest.Start(t, "qq")
	home := filepath.Join(d.dir, "home")
	yan := func(args ...string) *ptytest.Terminal {
		c := ptytest.New(t)
		cmd := exec.Command(world.yan, args...)
		cmd.Env = []string{"HOME=" + home, "TERM=xterm-256color", "LANG=zh_CN.UTF-8", "PATH=" + os.Getenv("PATH"),
			"DBUS_SESSION_BUS_ADDRESS=" + os.Getenv("DBUS_SESSION_BUS_ADDRESS")}
		c.Start(cmd)
		return c
	}
	login := func(name string) *ptytest.Terminal {
		c := yan("login", "me@qq.com", "--from", "me@qq.com", "--name", name, "--server", "smtps://"+server.TLSAddr(), "--tls-ca", server.CAFile())
		c.Waits("二维码")
		c.Types(server.Password() + "\r")
		c.Waits("登录成功")
		return c
	}

	d.start(t, unlocked)
	c := login("qq")
	c.Waits("系统密钥环")
	if code := c.Exit(); code != 0 {
		t.Errorf("exit status %d\n%s", code, c.Text())
	}
	c.Restored()
	if strings.Contains(c.Raw(), server.Password()) {
		t.Error("the code is on the screen")
	}
	c = yan("send", "-t", "friend@163.com", "-s", "你好", "-b", "Hello World")
	c.Waits("friend@163.com  已接收")
	if code := c.Exit(); code != 0 {
		t.Errorf("sending: exit status %d\n%s", code, c.Text())
	}
	d.stop(t)

	config, err := os.ReadFile(filepath.Join(home, ".config", "yan", "config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	d.start(t, locked)
	c = login("other")
	c.Waits("密钥环已锁定")
	if code := c.Exit(); code != 78 {
		t.Errorf("with a locked keyring: exit status %d\n%s", code, c.Text())
	}
	if after, err := os.ReadFile(filepath.Join(home, ".config", "yan", "config.toml")); err != nil || !bytes.Equal(after, config) {
		t.Errorf("something was stored: %v\n%s", err, after)
	}
	d.stop(t)

	files := 0
	err = filepath.Walk(home, func(path string, info os.FileInfo, err error) error {
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte(server.Password())) {
			t.Errorf("%s contains the code", path)
		}
		return err
	})
	if err != nil || files < 2 {
		t.Errorf("looked into %d files: %v", files, err)
	}
}
