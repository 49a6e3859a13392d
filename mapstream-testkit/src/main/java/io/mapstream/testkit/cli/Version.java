package io.mapstream.testkit.cli;

import io.mapstream.server.MapStreamServer;
import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** The version of the project, which is also in the server info of its servers. */
final class Version implements IVersionProvider {

  @Override
  public String[] getVersion() throws IOException {
    return new String[] {"mapstream " + version()};
  }

  private static String version() throws IOException {
    try (InputStream in = MapStreamServer.class.getResourceAsStream("version.properties")) {
      Properties properties = new Properties();
      if (in != null) {
        properties.load(in);
      }
      return properties.getProperty("version", "of unknown version");
    }
  }
}
