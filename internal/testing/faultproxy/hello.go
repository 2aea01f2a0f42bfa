package faultproxy

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync/atomic"
)

// largeHello is the size of the first TLS record, in octets, from which old boxes between
// client and server close the connection: one with X25519MLKEM768 has about 1500.
const largeHello = 1200

// OldBox is a relay in front of a server that speaks TLS from the first octet. It closes
// connections whose ClientHello is large, before the server has seen anything.
type OldBox struct {
	listener net.Listener
	closed   atomic.Int32
}

// NewOldBox starts a relay to an address. Close it.
func NewOldBox(server string) (*OldBox, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &OldBox{listener: listener}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go b.relay(client, server)
		}
	}()
	return b, nil
}

// Port is where the relay listens, on 127.0.0.1.
func (b *OldBox) Port() int { return b.listener.Addr().(*net.TCPAddr).Port }

// Closed counts the connections that were closed for their large ClientHello.
func (b *OldBox) Closed() int { return int(b.closed.Load()) }

// Close ends the relay; connections end with their two sides.
func (b *OldBox) Close() error { return b.listener.Close() }

func (b *OldBox) relay(client net.Conn, server string) {
	defer client.Close()
	head := make([]byte, 5) // of a TLS record, RFC 8446 section 5.1
	if _, err := io.ReadFull(client, head); err != nil {
		return
	}
	hello := append(head, make([]byte, binary.BigEndian.Uint16(head[3:]))...)
	if _, err := io.ReadFull(client, hello[5:]); err != nil {
		return
	}
	if len(hello) > largeHello {
		b.closed.Add(1)
		return
	}
	backend, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer backend.Close()
	if _, err := backend.Write(hello); err != nil {
		return
	}
	done := make(chan error, 2)
	pass := func(to, from net.Conn) {
		_, err := io.Copy(to, from)
		done <- errors.Join(err, to.Close())
	}
	go pass(backend, client)
	go pass(client, backend)
	<-done
	<-done
}
