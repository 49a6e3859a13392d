import com.sun.net.httpserver.HttpServer
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit

// Runs the application as a process: its results, its metrics, a stop with an open datum, and a failure.

def function = new GroovyClassLoader(getClass().classLoader).parseClass(new File(basedir, "../../../src/Function.groovy"))

def asked = new CountDownLatch(1)
def answer = new CountDownLatch(1)
def service = HttpServer.create(new InetSocketAddress(InetAddress.loopbackAddress, 0), 0)
service.executor = Executors.newCachedThreadPool()
service.createContext("/") { exchange ->
  def article = exchange.requestURI.path.substring(1)
  if (article == "slow") {
    asked.countDown()
    answer.await(60, TimeUnit.SECONDS)
  }
  def price = (article.length() * 100).toString().bytes
  exchange.sendResponseHeaders(article == "unknown" ? 404 : 200, price.length)
  exchange.responseBody.withStream { it.write(price) }
}
service.start()
def application = ["--enable-native-access=ALL-UNNAMED", "-jar", "target/orders-1.jar", "--server.port=0", "--server.address=127.0.0.1",
    "--prices.url=http://127.0.0.1:" + service.address.port] as String[]

try {
  function.newInstance(basedir).withCloseable {
    it.start(application)
    assert it.drive("tea,rice") == ["tea=300", "rice=400"]

    def port = (it.await(/Tomcat started on port \d+/) =~ /port (\d+)/)[0][1]
    def metrics = new URL("http://127.0.0.1:" + port + "/actuator/prometheus").text
    assert metrics.readLines().containsAll(["mapstream_datums_total 1.0", "mapstream_results_total 2.0"]): metrics

    def driving = it.driving("tea,slow")
    assert asked.await(60, TimeUnit.SECONDS)
    it.terminate()
    it.await("mapstream is stopping")
    answer.countDown()
    assert driving.inputStream.readLines() == ["tea=300", "slow=400"] // then the stream ends with the server
    assert it.exitCode() == 143: it.printed()
  }

  function.newInstance(basedir).withCloseable {
    it.start(application)
    it.driving("unknown").waitFor()
    assert it.exitCode() == 1: it.printed()
    assert it.printed().contains("no price of unknown: status 404")
  }
} finally {
  service.stop(0)
  service.executor.shutdownNow()
}
