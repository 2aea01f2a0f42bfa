//go:build !linux

package pgtest

import (
	"errors"
	"testing"
)

// Server is a PostgreSQL server; it is only run on Linux.
type Server struct{ port int }

func launchServer(Options) (*Server, error, error) {
	return nil, errors.New("a PostgreSQL server is run for tests on Linux only"), nil
}

func (s *Server) Stop(testing.TB)    {}
func (s *Server) Kill(testing.TB)    {}
func (s *Server) Restart(testing.TB) {}
func (s *Server) logTail() string    { return "" }
func (s *Server) remove()            {}
