package accounts

import (
	"errors"
	"sync"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/files/atomicfile"
)

// Cache holds the configuration that a command has read. A command reads it once, so that all of
// its parts see the same accounts, and so that it can come from a pipe.
type Cache struct {
	mu   sync.Mutex
	path string
	file *account.File
	err  error
}

// LoadCached reads the configuration at path, or returns the one that this command has read. Its
// accounts may have faults. A change that is saved must be made in this File.
func (a *Accounts) LoadCached(path string) (*account.File, error) {
	a.Cache.mu.Lock()
	defer a.Cache.mu.Unlock()
	c := a.Cache
	if c.path == path && (c.file != nil || c.err != nil) {
		return c.file, c.err
	}
	load := a.LoadConfig
	if load == nil {
		load = account.LoadLenient
	}
	c.path = path
	c.file, c.err = a.ReadConfiguration(path, load)
	return c.file, c.err
}

// ReloadConfiguration reads the configuration again.
func (a *Accounts) ReloadConfiguration() (*account.File, error) {
	a.Cache.mu.Lock()
	a.Cache.file, a.Cache.err = nil, nil
	a.Cache.mu.Unlock()
	return a.Configuration()
}

// Configuration returns the user's configuration. Any fault in the file is an error, which it
// explains.
func (a *Accounts) Configuration() (*account.File, error) {
	f, err := a.FaultyConfiguration()
	if err != nil {
		return nil, err
	}
	if faults := f.Faults(); len(faults) > 0 {
		return nil, a.BadConfiguration(f.Path(), faults[0])
	}
	return f, nil
}

// FaultyConfiguration returns the configuration for commands about single accounts: other accounts
// may have faults. UsableAccount and Identify refuse accounts with faults.
func (a *Accounts) FaultyConfiguration() (*account.File, error) {
	path, err := a.ConfigPath()
	if err != nil {
		return nil, err
	}
	f, err := a.LoadCached(path)
	if err != nil {
		return nil, a.BadConfiguration(path, err)
	}
	return f, nil
}

// ReadConfiguration reads a configuration now. A pipe may make it wait for the writer.
func (a *Accounts) ReadConfiguration(path string, by func(string) (*account.File, error)) (*account.File, error) {
	return atomicfile.Await(a.Ctx, func() (*account.File, error) { return by(path) }, nil)
}

// ConfigPath returns the path of the configuration, which may not exist.
func (a *Accounts) ConfigPath() (string, error) {
	path, err := account.Path(a.Getenv)
	if err != nil {
		return "", command.Fail(command.ExitConfig, errors.New(a.T("the configuration can't be found: none of YAN_CONFIG, XDG_CONFIG_HOME and HOME is set")), "")
	}
	return path, nil
}

// SaveAccounts writes the configuration.
func (a *Accounts) SaveAccounts(f *account.File) error { return a.SaveError(f, f.Save()) }
