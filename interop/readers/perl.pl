# Reads messages with Email::MIME.
#
# usage: perl.pl FILE...
use strict;
use warnings;
use Email::MIME;
use Email::MIME::ContentType ();
use JSON::PP;

my $json = JSON::PP->new->ascii->canonical;

sub attached {
	my ($part) = @_;
	my $type = Email::MIME::ContentType::parse_content_type($part->content_type);
	my $kind = "$type->{type}/$type->{subtype}";
	my $charset = $type->{attributes}{charset} // '';
	my $text = $type->{type} eq 'text' ? eval { $part->body_str } : undef;
	return {
		name => $part->filename,
		type => $kind,
		charset => lc $charset,
		octets => unpack('H*', $kind eq 'message/rfc822' ? $part->body_raw : $part->body),
		text => $text,
	};
}

for my $path (@ARGV) {
	open my $file, '<:raw', $path or die "$path: $!";
	my $message = Email::MIME->new(do { local $/; <$file> });
	my @found;
	my @queue = ($message);
	while (my $part = shift @queue) {
		if (($part->content_type // '') =~ m{^multipart/}i) {
			unshift @queue, $part->subparts;
		} elsif (($part->header('Content-Disposition') // '') =~ /^attachment/i) {
			push @found, attached($part);
		}
	}
	print $json->encode({ file => $path, subject => $message->header_str('Subject'), attachments => \@found }), "\n";
}
